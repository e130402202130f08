// Sixteen lanes in one AVX-512 register.
#pragma once
#include "inline.h"

namespace longra::LONGRA_ISA {

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
LONGRA_INLINE Floats select_above(Floats p, float limit, Floats a) {  // p > limit ? a : 0
  return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(p.v, _mm512_set1_ps(limit), _CMP_GT_OQ), a.v)};
}
template <int N>
LONGRA_INLINE Ints right32_signed(Ints a) {
  return {_mm512_srai_epi32(a.v, N)};
}
LONGRA_INLINE void prefetch(const void* p) { _mm_prefetch((const char*)p, _MM_HINT_T0); }
LONGRA_INLINE void prefetch_far(const void* p) { _mm_prefetch((const char*)p, _MM_HINT_T1); }  // to the second-level cache

}  // namespace longra::LONGRA_ISA
