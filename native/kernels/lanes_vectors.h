// Sixteen lanes in four vectors of sixteen bytes, which compilers know on any processor: SSE2 on x86, NEON on ARM.
#pragma once
#include "inline.h"
#if defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace longra::LONGRA_ISA {

typedef float FourFloats __attribute__((vector_size(16)));
typedef int32_t FourInts __attribute__((vector_size(16)));
typedef uint32_t FourWords __attribute__((vector_size(16)));
typedef int16_t EightShorts __attribute__((vector_size(16)));
typedef uint16_t EightHalves __attribute__((vector_size(16)));
typedef int8_t SixteenBytes __attribute__((vector_size(16)));

struct Floats {
  FourFloats v[4];
};
struct Ints {
  FourInts v[4];
};

#define LONGRA_EACH _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++)
LONGRA_INLINE Floats load(const float* p) {
  Floats r;
  memcpy(&r, p, 64);
  return r;
}
LONGRA_INLINE void store(float* p, Floats x) { memcpy(p, &x, 64); }
LONGRA_INLINE Floats splat(float x) {
  const FourFloats all = {x, x, x, x};
  return {{all, all, all, all}};
}
LONGRA_INLINE Ints load_line(const void* p) {
  Ints r;
  memcpy(&r, p, 64);
  return r;
}
LONGRA_INLINE void store_line(void* p, Ints x) { memcpy(p, &x, 64); }
LONGRA_INLINE Ints splat_int(int32_t x) {
  const FourInts all = {x, x, x, x};
  return {{all, all, all, all}};
}
LONGRA_INLINE Floats operator+(Floats x, Floats y) {
  LONGRA_EACH x.v[i] += y.v[i];
  return x;
}
LONGRA_INLINE Floats operator-(Floats x, Floats y) {
  LONGRA_EACH x.v[i] -= y.v[i];
  return x;
}
LONGRA_INLINE Floats operator*(Floats x, Floats y) {
  LONGRA_EACH x.v[i] *= y.v[i];
  return x;
}
LONGRA_INLINE Floats operator/(Floats x, Floats y) {
  LONGRA_EACH x.v[i] /= y.v[i];
  return x;
}
LONGRA_INLINE Floats fma(Floats x, Floats y, Floats z) {
#if defined(__aarch64__)
  LONGRA_EACH z.v[i] = (FourFloats)vfmaq_f32((float32x4_t)z.v[i], (float32x4_t)x.v[i], (float32x4_t)y.v[i]);
#else
  LONGRA_EACH z.v[i] += x.v[i] * y.v[i];
#endif
  return z;
}
LONGRA_INLINE Floats bits_to_floats(Ints x) {
  Floats r;
  LONGRA_EACH r.v[i] = (FourFloats)x.v[i];
  return r;
}
LONGRA_INLINE Ints floats_to_bits(Floats x) {
  Ints r;
  LONGRA_EACH r.v[i] = (FourInts)x.v[i];
  return r;
}
LONGRA_INLINE Ints operator+(Ints x, Ints y) {
  LONGRA_EACH x.v[i] = (FourInts)((FourWords)x.v[i] + (FourWords)y.v[i]);
  return x;
}
LONGRA_INLINE Ints operator&(Ints x, Ints y) {
  LONGRA_EACH x.v[i] &= y.v[i];
  return x;
}
LONGRA_INLINE Ints operator|(Ints x, Ints y) {
  LONGRA_EACH x.v[i] |= y.v[i];
  return x;
}
LONGRA_INLINE Ints operator^(Ints x, Ints y) {
  LONGRA_EACH x.v[i] ^= y.v[i];
  return x;
}
template <int N>
LONGRA_INLINE Ints left16(Ints x) {
  LONGRA_EACH x.v[i] = (FourInts)((EightHalves)x.v[i] << N);
  return x;
}
template <int N>
LONGRA_INLINE Ints right16(Ints x) {
  LONGRA_EACH x.v[i] = (FourInts)((EightHalves)x.v[i] >> N);
  return x;
}
template <int N>
LONGRA_INLINE Ints left32(Ints x) {
  LONGRA_EACH x.v[i] = (FourInts)((FourWords)x.v[i] << N);
  return x;
}
template <int N>
LONGRA_INLINE Ints right32(Ints x) {
  LONGRA_EACH x.v[i] = (FourInts)((FourWords)x.v[i] >> N);
  return x;
}
template <int N>
LONGRA_INLINE Ints right32_signed(Ints x) {
  LONGRA_EACH x.v[i] >>= N;
  return x;
}
LONGRA_INLINE Floats max(Floats x, Floats y) {
  LONGRA_EACH x.v[i] = x.v[i] > y.v[i] ? x.v[i] : y.v[i];
  return x;
}
LONGRA_INLINE Floats min(Floats x, Floats y) {
  LONGRA_EACH x.v[i] = x.v[i] < y.v[i] ? x.v[i] : y.v[i];
  return x;
}
LONGRA_INLINE Floats abs(Floats x) { return bits_to_floats(floats_to_bits(x) & splat_int(0x7fffffff)); }

// Adding 1.5 * 2^23 rounds to a whole number, which is then in the low bits; for numbers below 2^22.
constexpr float kRounds = 12582912.0f;
LONGRA_INLINE Floats nearest(Floats x) { return (x + splat(kRounds)) - splat(kRounds); }
LONGRA_INLINE Ints to_ints(Floats x) {
  Ints r = floats_to_bits(x + splat(kRounds));
  LONGRA_EACH r.v[i] -= 0x4b400000;
  return r;
}
LONGRA_INLINE Floats to_floats(Ints x) {
  Floats r;
  LONGRA_EACH r.v[i] = __builtin_convertvector(x.v[i], FourFloats);
  return r;
}
LONGRA_INLINE Floats scale_by_power(Floats x, Floats n) {
  return x * bits_to_floats(left32<23>(to_ints(max(n, splat(-126.0f))) + splat_int(127)));
}
LONGRA_INLINE float sum(Floats x) {
  const FourFloats s = (x.v[0] + x.v[2]) + (x.v[1] + x.v[3]);
  return (s[0] + s[2]) + (s[1] + s[3]);
}
LONGRA_INLINE float largest(Floats x) {
  const FourFloats a = x.v[0] > x.v[1] ? x.v[0] : x.v[1], b = x.v[2] > x.v[3] ? x.v[2] : x.v[3], c = a > b ? a : b;
  const float d = c[0] > c[1] ? c[0] : c[1], e = c[2] > c[3] ? c[2] : c[3];
  return d > e ? d : e;
}
LONGRA_INLINE Floats load_half(const uint16_t* p) {  // finite
  typedef uint16_t FourHalves __attribute__((vector_size(8)));
  Floats r;
  LONGRA_EACH {
    FourHalves h;
    memcpy(&h, p + i * 4, 8);
    const FourInts bits = __builtin_convertvector(h, FourInts), sign = (bits & 0x8000) << 15 << 1;
    const FourInts normal = ((bits & 0x7fff) << 13) + (112 << 23);
    const FourInts small = (FourInts)(__builtin_convertvector(bits & 0x3ff, FourFloats) * 0x1p-24f);
    r.v[i] = (FourFloats)(((bits & 0x7c00) == 0 ? small : normal) | sign);
  }
  return r;
}
LONGRA_INLINE Ints look_up(const uint8_t table[16], Ints x) {
#if defined(__aarch64__)
  const uint8x16_t entries = vld1q_u8(table);
  LONGRA_EACH x.v[i] = (FourInts)vqtbl1q_u8(entries, (uint8x16_t)x.v[i]);
#else
  uint8_t b[64];
  memcpy(b, &x, 64);
  for (int i = 0; i < 64; i++) b[i] = table[b[i] & 15];
  memcpy(&x, b, 64);
#endif
  return x;
}
LONGRA_INLINE void keep(Ints&) {}
LONGRA_INLINE Ints add16(Ints x, Ints y) {
  LONGRA_EACH x.v[i] = (FourInts)((EightHalves)x.v[i] + (EightHalves)y.v[i]);
  return x;
}
// x with the sign of y: `negative` is -1 where y is below zero, and -x = (x ^ -1) + 1.
LONGRA_INLINE Ints sign8(Ints x, Ints y) {
  LONGRA_EACH {
    const SixteenBytes negative = (SixteenBytes)y.v[i] < 0;
    x.v[i] = (FourInts)(((SixteenBytes)x.v[i] ^ negative) - negative);
  }
  return x;
}
LONGRA_INLINE Ints abs8(Ints x) { return sign8(x, x); }
// Sums of two products, unsigned by signed bytes, in 16 bits.
LONGRA_INLINE Ints multiply_pairs8(Ints x, Ints y) {
  LONGRA_EACH {
    const EightHalves u = (EightHalves)x.v[i];
    const EightShorts s = (EightShorts)y.v[i], low = (EightShorts)((EightHalves)s << 8) >> 8, high = s >> 8;
    x.v[i] = (FourInts)((EightHalves)(u & 0xff) * (EightHalves)low + (EightHalves)(u >> 8) * (EightHalves)high);
  }
  return x;
}
LONGRA_INLINE Ints sum_pairs16(Ints x) { return right32_signed<16>(left32<16>(x)) + right32_signed<16>(x); }
LONGRA_INLINE Floats select_below(Ints p, int limit, Floats x, Floats y) {  // p < limit ? x : y
  LONGRA_EACH x.v[i] = p.v[i] < limit ? x.v[i] : y.v[i];
  return x;
}
LONGRA_INLINE Floats select_above(Floats p, float limit, Floats x) {  // p > limit ? x : 0
  LONGRA_EACH x.v[i] = (FourFloats)((FourInts)x.v[i] & (FourInts)(p.v[i] > limit));
  return x;
}
LONGRA_INLINE void prefetch(const void* p) { __builtin_prefetch(p); }
LONGRA_INLINE void prefetch_far(const void* p) { __builtin_prefetch(p, 0, 2); }
#undef LONGRA_EACH

}  // namespace longra::LONGRA_ISA
