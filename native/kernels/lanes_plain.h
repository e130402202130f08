// Sixteen lanes in a plain array, for any processor.
#pragma once
#include "inline.h"

namespace longra::LONGRA_ISA {

struct Floats {
  float v[16];
};
struct Ints {
  int32_t v[16];
};

#define LONGRA_LANES for (int i = 0; i < 16; i++)
LONGRA_INLINE Floats load(const float* p) {
  Floats r;
  memcpy(&r, p, 64);
  return r;
}
LONGRA_INLINE void store(float* p, Floats x) { memcpy(p, &x, 64); }
LONGRA_INLINE Floats splat(float x) {
  Floats r;
  LONGRA_LANES r.v[i] = x;
  return r;
}
LONGRA_INLINE Floats operator+(Floats x, Floats y) {
  LONGRA_LANES x.v[i] += y.v[i];
  return x;
}
LONGRA_INLINE Floats operator-(Floats x, Floats y) {
  LONGRA_LANES x.v[i] -= y.v[i];
  return x;
}
LONGRA_INLINE Floats operator*(Floats x, Floats y) {
  LONGRA_LANES x.v[i] *= y.v[i];
  return x;
}
LONGRA_INLINE Floats operator/(Floats x, Floats y) {
  LONGRA_LANES x.v[i] /= y.v[i];
  return x;
}
LONGRA_INLINE Floats fma(Floats x, Floats y, Floats z) {
  LONGRA_LANES z.v[i] += x.v[i] * y.v[i];
  return z;
}
LONGRA_INLINE Floats max(Floats x, Floats y) {
  LONGRA_LANES x.v[i] = x.v[i] > y.v[i] ? x.v[i] : y.v[i];
  return x;
}
LONGRA_INLINE Floats min(Floats x, Floats y) {
  LONGRA_LANES x.v[i] = x.v[i] < y.v[i] ? x.v[i] : y.v[i];
  return x;
}
LONGRA_INLINE Floats abs(Floats x) {
  LONGRA_LANES x.v[i] = fabsf(x.v[i]);
  return x;
}
LONGRA_INLINE Floats nearest(Floats x) {
  LONGRA_LANES x.v[i] = rintf(x.v[i]);
  return x;
}
LONGRA_INLINE Floats scale_by_power(Floats x, Floats n) {
  LONGRA_LANES x.v[i] = ldexpf(x.v[i], (int)n.v[i]);
  return x;
}
LONGRA_INLINE float sum(Floats x) {
  for (int w = 8; w; w /= 2)
    for (int i = 0; i < w; i++) x.v[i] += x.v[i + w];
  return x.v[0];
}
LONGRA_INLINE float largest(Floats x) {
  float m = x.v[0];
  LONGRA_LANES m = x.v[i] > m ? x.v[i] : m;
  return m;
}
LONGRA_INLINE float half_to_float(uint16_t h) {
  const uint32_t e = h >> 10 & 31, m = h & 1023;
  uint32_t bits;
  if (e == 0) {
    const float f = (float)m * 0x1p-24f;
    return h & 0x8000 ? -f : f;
  }
  bits = (uint32_t)(h & 0x8000) << 16 | (e == 31 ? 0x7f800000u | m << 13 : (e + 112) << 23 | m << 13);
  float f;
  memcpy(&f, &bits, 4);
  return f;
}
LONGRA_INLINE Floats load_half(const uint16_t* p) {
  Floats r;
  LONGRA_LANES r.v[i] = half_to_float(p[i]);
  return r;
}
LONGRA_INLINE Floats to_floats(Ints x) {
  Floats r;
  LONGRA_LANES r.v[i] = (float)x.v[i];
  return r;
}
LONGRA_INLINE Floats bits_to_floats(Ints x) {
  Floats r;
  memcpy(&r, &x, 64);
  return r;
}
LONGRA_INLINE Ints floats_to_bits(Floats x) {
  Ints r;
  memcpy(&r, &x, 64);
  return r;
}
LONGRA_INLINE Ints to_ints(Floats x) {
  Ints r;
  LONGRA_LANES r.v[i] = (int32_t)rintf(x.v[i]);
  return r;
}
LONGRA_INLINE Ints load_line(const void* p) {
  Ints r;
  memcpy(&r, p, 64);
  return r;
}
LONGRA_INLINE void store_line(void* p, Ints x) { memcpy(p, &x, 64); }
LONGRA_INLINE Ints splat_int(int32_t x) {
  Ints r;
  LONGRA_LANES r.v[i] = x;
  return r;
}
LONGRA_INLINE Ints operator+(Ints x, Ints y) {
  LONGRA_LANES x.v[i] += y.v[i];
  return x;
}
LONGRA_INLINE Ints operator&(Ints x, Ints y) {
  LONGRA_LANES x.v[i] &= y.v[i];
  return x;
}
LONGRA_INLINE Ints operator|(Ints x, Ints y) {
  LONGRA_LANES x.v[i] |= y.v[i];
  return x;
}
template <int N>
LONGRA_INLINE Ints left16(Ints x) {
  LONGRA_LANES x.v[i] = (int32_t)(((uint32_t)x.v[i] << N) & (0xffffu >> N << N) * 0x10001u);
  return x;
}
template <int N>
LONGRA_INLINE Ints right16(Ints x) {
  LONGRA_LANES x.v[i] = (int32_t)((uint32_t)x.v[i] >> N & (0xffffu >> N) * 0x10001u);
  return x;
}
template <int N>
LONGRA_INLINE Ints left32(Ints x) {
  LONGRA_LANES x.v[i] = (int32_t)((uint32_t)x.v[i] << N);
  return x;
}
template <int N>
LONGRA_INLINE Ints right32(Ints x) {
  LONGRA_LANES x.v[i] = (int32_t)((uint32_t)x.v[i] >> N);
  return x;
}
LONGRA_INLINE Ints look_up(const uint8_t table[16], Ints x) {
  uint8_t b[64];
  memcpy(b, &x, 64);
  for (int i = 0; i < 64; i++) b[i] = table[b[i] & 15];
  memcpy(&x, b, 64);
  return x;
}
LONGRA_INLINE void keep(Ints&) {}
LONGRA_INLINE Ints dot(Ints acc, Ints x, Ints y) {
  uint8_t u[64];
  int8_t s[64];
  memcpy(u, &x, 64);
  memcpy(s, &y, 64);
  for (int i = 0; i < 64; i++) acc.v[i / 4] += u[i] * s[i];
  return acc;
}
LONGRA_INLINE Floats select_below(Ints p, int limit, Floats x, Floats y) {
  LONGRA_LANES x.v[i] = p.v[i] < limit ? x.v[i] : y.v[i];
  return x;
}
template <int N>
LONGRA_INLINE Ints right32_signed(Ints x) {
  LONGRA_LANES x.v[i] >>= N;
  return x;
}
LONGRA_INLINE void prefetch(const void* p) { __builtin_prefetch(p); }
LONGRA_INLINE void prefetch_far(const void* p) { __builtin_prefetch(p, 0, 2); }
#undef LONGRA_LANES

}  // namespace longra::LONGRA_ISA
