// Sixteen 32-bit lanes, the unit of every packed layout here: one AVX-512 register, two of AVX2, or a plain array.
// Everything lives in the instruction set's own namespace, so that no object file borrows another's code.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(LONGRA_INLINE)
// Builds for checks compile sooner without forced inlining.
#elif defined(__AVX2__)
#define LONGRA_INLINE static inline __attribute__((always_inline))
#else
#define LONGRA_INLINE static inline  // arrays of lanes: forced inlining costs a minute of compilation and gains nothing
#endif

namespace longra::LONGRA_ISA {

#if defined(__AVX512F__)

struct Floats {
  __m512 v;
};
struct Ints {
  __m512i v;
};

LONGRA_INLINE Floats load(const float* p) { return {_mm512_loadu_ps(p)}; }
LONGRA_INLINE void store(float* p, Floats a) { _mm512_storeu_ps(p, a.v); }
LONGRA_INLINE Floats splat(float x) { return {_mm512_set1_ps(x)}; }
LONGRA_INLINE Floats operator+(Floats a, Floats b) { return {_mm512_add_ps(a.v, b.v)}; }
LONGRA_INLINE Floats operator-(Floats a, Floats b) { return {_mm512_sub_ps(a.v, b.v)}; }
LONGRA_INLINE Floats operator*(Floats a, Floats b) { return {_mm512_mul_ps(a.v, b.v)}; }
LONGRA_INLINE Floats operator/(Floats a, Floats b) { return {_mm512_div_ps(a.v, b.v)}; }
LONGRA_INLINE Floats fma(Floats a, Floats b, Floats c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
LONGRA_INLINE Floats max(Floats a, Floats b) { return {_mm512_max_ps(a.v, b.v)}; }
LONGRA_INLINE Floats min(Floats a, Floats b) { return {_mm512_min_ps(a.v, b.v)}; }
LONGRA_INLINE Floats abs(Floats a) { return {_mm512_abs_ps(a.v)}; }
LONGRA_INLINE Floats nearest(Floats a) { return {_mm512_roundscale_ps(a.v, 8)}; }
LONGRA_INLINE Floats scale_by_power(Floats a, Floats n) { return {_mm512_scalef_ps(a.v, n.v)}; }  // a * 2^n, n whole
LONGRA_INLINE float sum(Floats a) { return _mm512_reduce_add_ps(a.v); }
LONGRA_INLINE float largest(Floats a) { return _mm512_reduce_max_ps(a.v); }
LONGRA_INLINE Floats load_half(const uint16_t* p) { return {_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)p))}; }
LONGRA_INLINE Floats to_floats(Ints a) { return {_mm512_cvtepi32_ps(a.v)}; }
LONGRA_INLINE Floats bits_to_floats(Ints a) { return {_mm512_castsi512_ps(a.v)}; }
LONGRA_INLINE Ints floats_to_bits(Floats a) { return {_mm512_castps_si512(a.v)}; }
LONGRA_INLINE Ints to_ints(Floats a) { return {_mm512_cvtps_epi32(a.v)}; }  // to the nearest even
LONGRA_INLINE Ints load_line(const void* p) { return {_mm512_loadu_si512(p)}; }
LONGRA_INLINE void store_line(void* p, Ints a) { _mm512_storeu_si512(p, a.v); }
LONGRA_INLINE Ints splat_int(int32_t x) { return {_mm512_set1_epi32(x)}; }
LONGRA_INLINE Ints operator+(Ints a, Ints b) { return {_mm512_add_epi32(a.v, b.v)}; }
LONGRA_INLINE Ints operator&(Ints a, Ints b) { return {_mm512_and_si512(a.v, b.v)}; }
LONGRA_INLINE Ints operator|(Ints a, Ints b) { return {_mm512_or_si512(a.v, b.v)}; }
template <int N>
LONGRA_INLINE Ints left16(Ints a) {
  return {_mm512_slli_epi16(a.v, N)};
}
template <int N>
LONGRA_INLINE Ints right16(Ints a) {
  return {_mm512_srli_epi16(a.v, N)};
}
template <int N>
LONGRA_INLINE Ints left32(Ints a) {
  return {_mm512_slli_epi32(a.v, N)};
}
template <int N>
LONGRA_INLINE Ints right32(Ints a) {
  return {_mm512_srli_epi32(a.v, N)};
}
LONGRA_INLINE Ints look_up(const uint8_t table[16], Ints nibbles) {
  return {_mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i*)table)), nibbles.v)};
}
LONGRA_INLINE void keep(Ints&) {}
// acc + the dot product of four unsigned with four signed bytes in each lane, exact.
LONGRA_INLINE Ints dot(Ints acc, Ints u8, Ints s8) { return {_mm512_dpbusd_epi32(acc.v, u8.v, s8.v)}; }
LONGRA_INLINE Floats select_below(Ints position, int limit, Floats a, Floats b) {  // position < limit ? a : b
  return {_mm512_mask_mov_ps(b.v, _mm512_cmplt_epi32_mask(position.v, _mm512_set1_epi32(limit)), a.v)};
}
template <int N>
LONGRA_INLINE Ints right32_signed(Ints a) {
  return {_mm512_srai_epi32(a.v, N)};
}
LONGRA_INLINE void prefetch(const void* p) { _mm_prefetch((const char*)p, _MM_HINT_T0); }

#elif defined(__AVX2__)

struct Floats {
  __m256 a, b;
};
struct Ints {
  __m256i a, b;
};

#define LONGRA_BOTH(call) {call(x.a, y.a), call(x.b, y.b)}
LONGRA_INLINE Floats load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
LONGRA_INLINE void store(float* p, Floats x) {
  _mm256_storeu_ps(p, x.a);
  _mm256_storeu_ps(p + 8, x.b);
}
LONGRA_INLINE Floats splat(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
LONGRA_INLINE Floats operator+(Floats x, Floats y) { return LONGRA_BOTH(_mm256_add_ps); }
LONGRA_INLINE Floats operator-(Floats x, Floats y) { return LONGRA_BOTH(_mm256_sub_ps); }
LONGRA_INLINE Floats operator*(Floats x, Floats y) { return LONGRA_BOTH(_mm256_mul_ps); }
LONGRA_INLINE Floats operator/(Floats x, Floats y) { return LONGRA_BOTH(_mm256_div_ps); }
LONGRA_INLINE Floats fma(Floats x, Floats y, Floats z) { return {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)}; }
LONGRA_INLINE Floats max(Floats x, Floats y) { return LONGRA_BOTH(_mm256_max_ps); }
LONGRA_INLINE Floats min(Floats x, Floats y) { return LONGRA_BOTH(_mm256_min_ps); }
LONGRA_INLINE Floats abs(Floats x) {
  const Floats y = splat(-0.0f);
  return {_mm256_andnot_ps(y.a, x.a), _mm256_andnot_ps(y.b, x.b)};
}
LONGRA_INLINE Floats nearest(Floats x) { return {_mm256_round_ps(x.a, 8), _mm256_round_ps(x.b, 8)}; }
LONGRA_INLINE Floats scale_by_power(Floats x, Floats n) {
  n = max(n, splat(-126.0f));
  auto half = [](__m256 v, __m256 p) {
    return _mm256_mul_ps(v, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(p), _mm256_set1_epi32(127)), 23)));
  };
  return {half(x.a, n.a), half(x.b, n.b)};
}
LONGRA_INLINE __m128 fold(Floats x) {
  __m256 s = _mm256_add_ps(x.a, x.b);
  return _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
}
LONGRA_INLINE float sum(Floats x) {
  __m128 s = fold(x);
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
LONGRA_INLINE float largest(Floats x) {
  __m256 m = _mm256_max_ps(x.a, x.b);
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(m), _mm256_extractf128_ps(m, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
LONGRA_INLINE Floats load_half(const uint16_t* p) {
  return {_mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)p)), _mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)(p + 8)))};
}
LONGRA_INLINE Floats to_floats(Ints x) { return {_mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b)}; }
LONGRA_INLINE Floats bits_to_floats(Ints x) { return {_mm256_castsi256_ps(x.a), _mm256_castsi256_ps(x.b)}; }
LONGRA_INLINE Ints floats_to_bits(Floats x) { return {_mm256_castps_si256(x.a), _mm256_castps_si256(x.b)}; }
LONGRA_INLINE Ints to_ints(Floats x) { return {_mm256_cvtps_epi32(x.a), _mm256_cvtps_epi32(x.b)}; }
LONGRA_INLINE Ints load_line(const void* p) { return {_mm256_loadu_si256((const __m256i*)p), _mm256_loadu_si256((const __m256i*)p + 1)}; }
LONGRA_INLINE void store_line(void* p, Ints x) {
  _mm256_storeu_si256((__m256i*)p, x.a);
  _mm256_storeu_si256((__m256i*)p + 1, x.b);
}
LONGRA_INLINE Ints splat_int(int32_t x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
LONGRA_INLINE Ints operator+(Ints x, Ints y) { return LONGRA_BOTH(_mm256_add_epi32); }
LONGRA_INLINE Ints operator&(Ints x, Ints y) { return LONGRA_BOTH(_mm256_and_si256); }
LONGRA_INLINE Ints operator|(Ints x, Ints y) { return LONGRA_BOTH(_mm256_or_si256); }
template <int N>
LONGRA_INLINE Ints left16(Ints x) {
  return {_mm256_slli_epi16(x.a, N), _mm256_slli_epi16(x.b, N)};
}
template <int N>
LONGRA_INLINE Ints right16(Ints x) {
  return {_mm256_srli_epi16(x.a, N), _mm256_srli_epi16(x.b, N)};
}
template <int N>
LONGRA_INLINE Ints left32(Ints x) {
  return {_mm256_slli_epi32(x.a, N), _mm256_slli_epi32(x.b, N)};
}
template <int N>
LONGRA_INLINE Ints right32(Ints x) {
  return {_mm256_srli_epi32(x.a, N), _mm256_srli_epi32(x.b, N)};
}
LONGRA_INLINE Ints look_up(const uint8_t table[16], Ints x) {
  const __m256i t = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)table));
  return {_mm256_shuffle_epi8(t, x.a), _mm256_shuffle_epi8(t, x.b)};
}
LONGRA_INLINE Ints operator^(Ints x, Ints y) { return LONGRA_BOTH(_mm256_xor_si256); }
LONGRA_INLINE Ints add16(Ints x, Ints y) { return LONGRA_BOTH(_mm256_add_epi16); }
LONGRA_INLINE Ints abs8(Ints x) { return {_mm256_abs_epi8(x.a), _mm256_abs_epi8(x.b)}; }
LONGRA_INLINE Ints sign8(Ints x, Ints y) { return LONGRA_BOTH(_mm256_sign_epi8); }                // x with the sign of y
LONGRA_INLINE Ints multiply_pairs8(Ints x, Ints y) { return LONGRA_BOTH(_mm256_maddubs_epi16); }  // unsigned by signed, to 16 bits
// The compiler must have x here, in registers: it would else move all products of a chain before its sums, and run out of them.
LONGRA_INLINE void keep(Ints& x) { asm volatile("" : "+x"(x.a), "+x"(x.b)); }
LONGRA_INLINE Ints sum_pairs16(Ints x) {
  const __m256i one = _mm256_set1_epi16(1);
  return {_mm256_madd_epi16(x.a, one), _mm256_madd_epi16(x.b, one)};
}
LONGRA_INLINE Floats select_below(Ints p, int limit, Floats x, Floats y) {
  const __m256i l = _mm256_set1_epi32(limit);
  return {_mm256_blendv_ps(y.a, x.a, _mm256_castsi256_ps(_mm256_cmpgt_epi32(l, p.a))),
          _mm256_blendv_ps(y.b, x.b, _mm256_castsi256_ps(_mm256_cmpgt_epi32(l, p.b)))};
}
template <int N>
LONGRA_INLINE Ints right32_signed(Ints x) {
  return {_mm256_srai_epi32(x.a, N), _mm256_srai_epi32(x.b, N)};
}
LONGRA_INLINE void prefetch(const void* p) { _mm_prefetch((const char*)p, _MM_HINT_T0); }
#undef LONGRA_BOTH

#else

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
#undef LONGRA_LANES

#endif

LONGRA_INLINE Floats zero() { return splat(0.0f); }
LONGRA_INLINE Ints zero_ints() { return splat_int(0); }
// The two bf16 numbers of each lane as float32: the low one, the high one.
LONGRA_INLINE Floats low_bf16(Ints a) { return bits_to_floats(left32<16>(a)); }
LONGRA_INLINE Floats high_bf16(Ints a) { return bits_to_floats(a & splat_int((int32_t)0xffff0000)); }

LONGRA_INLINE float bf16_to_float(uint16_t h) {
  const uint32_t bits = (uint32_t)h << 16;
  float f;
  memcpy(&f, &bits, 4);
  return f;
}
LONGRA_INLINE uint16_t float_to_bf16(float f) {  // to the nearest even; finite input
  uint32_t bits;
  memcpy(&bits, &f, 4);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
// 2^x: the degree-6 polynomial of Cephes' exp2f on [-1/2, 1/2], error below 2e-7 of the value.
LONGRA_INLINE Floats exp2(Floats x) {
  x = max(min(x, splat(127.0f)), splat(-126.0f));
  const Floats n = nearest(x), f = x - n;
  Floats r = splat(1.535336188319500e-4f);
  r = fma(r, f, splat(1.339887440266574e-3f));
  r = fma(r, f, splat(9.618437357674640e-3f));
  r = fma(r, f, splat(5.550332471162809e-2f));
  r = fma(r, f, splat(2.402264791363012e-1f));
  r = fma(r, f, splat(6.931472028550421e-1f));
  r = fma(r, f, splat(1.0f));
  return scale_by_power(r, n);
}
LONGRA_INLINE float exp2_one(float x) {
  float lanes[16];
  store(lanes, exp2(splat(x)));
  return lanes[0];
}

}  // namespace longra::LONGRA_ISA
