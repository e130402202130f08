// Sixteen lanes in two AVX2 registers.
#pragma once
#include "inline.h"

namespace longra::LONGRA_ISA {

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
#if defined(__AVXVNNI__)
// acc + the dot product of four unsigned with four signed bytes in each lane, exact.
LONGRA_INLINE Ints dot(Ints acc, Ints u8, Ints s8) {
  return {_mm256_dpbusd_avx_epi32(acc.a, u8.a, s8.a), _mm256_dpbusd_avx_epi32(acc.b, u8.b, s8.b)};
}
#endif
LONGRA_INLINE Floats select_below(Ints p, int limit, Floats x, Floats y) {
  const __m256i l = _mm256_set1_epi32(limit);
  return {_mm256_blendv_ps(y.a, x.a, _mm256_castsi256_ps(_mm256_cmpgt_epi32(l, p.a))),
          _mm256_blendv_ps(y.b, x.b, _mm256_castsi256_ps(_mm256_cmpgt_epi32(l, p.b)))};
}
LONGRA_INLINE Floats select_above(Floats p, float limit, Floats x) {  // p > limit ? x : 0
  const __m256 l = _mm256_set1_ps(limit);
  return {_mm256_and_ps(x.a, _mm256_cmp_ps(p.a, l, _CMP_GT_OQ)), _mm256_and_ps(x.b, _mm256_cmp_ps(p.b, l, _CMP_GT_OQ))};
}
template <int N>
LONGRA_INLINE Ints right32_signed(Ints x) {
  return {_mm256_srai_epi32(x.a, N), _mm256_srai_epi32(x.b, N)};
}
LONGRA_INLINE void prefetch(const void* p) { _mm_prefetch((const char*)p, _MM_HINT_T0); }
LONGRA_INLINE void prefetch_far(const void* p) { _mm_prefetch((const char*)p, _MM_HINT_T1); }  // to the second-level cache
#undef LONGRA_BOTH

}  // namespace longra::LONGRA_ISA
