// Emulated AVX-512, continued: what has no AVX2 instruction of the same form.
#pragma once
#include "avx512.h"

namespace longra {

// Masks: bit i belongs to lane i.

template <class T, class F>
inline uint64_t mask_of(__m512i a, __m512i b, F f) {
  const auto x = lanes_of<T>(a), y = lanes_of<T>(b);
  uint64_t mask = 0;
  for (size_t i = 0; i < x.size(); i++) mask |= (uint64_t)f(x[i], y[i]) << i;
  return mask;
}
#define LONGRA_COMPARE(type, T, bits)                                      \
  inline __mmask##bits _mm512_cmpeq_##type##_mask(__m512i a, __m512i b) {  \
    return mask_of<T>(a, b, [](T x, T y) { return x == y; });              \
  }                                                                        \
  inline __mmask##bits _mm512_cmpneq_##type##_mask(__m512i a, __m512i b) { \
    return mask_of<T>(a, b, [](T x, T y) { return x != y; });              \
  }                                                                        \
  inline __mmask##bits _mm512_cmplt_##type##_mask(__m512i a, __m512i b) {  \
    return mask_of<T>(a, b, [](T x, T y) { return x < y; });               \
  }                                                                        \
  inline __mmask##bits _mm512_cmple_##type##_mask(__m512i a, __m512i b) {  \
    return mask_of<T>(a, b, [](T x, T y) { return x <= y; });              \
  }                                                                        \
  inline __mmask##bits _mm512_cmpgt_##type##_mask(__m512i a, __m512i b) {  \
    return mask_of<T>(a, b, [](T x, T y) { return x > y; });               \
  }                                                                        \
  inline __mmask##bits _mm512_cmpge_##type##_mask(__m512i a, __m512i b) {  \
    return mask_of<T>(a, b, [](T x, T y) { return x >= y; });              \
  }
LONGRA_COMPARE(epi8, int8_t, 64)
LONGRA_COMPARE(epu8, uint8_t, 64)
LONGRA_COMPARE(epi16, int16_t, 32)
LONGRA_COMPARE(epu16, uint16_t, 32)
LONGRA_COMPARE(epi32, int32_t, 16)
LONGRA_COMPARE(epu32, uint32_t, 16)
#undef LONGRA_COMPARE

// Predicates 16 to 31 differ from 0 to 15 in what they signal only.
inline __mmask16 _mm512_cmp_ps_mask(__m512 a, __m512 b, int predicate) {
  enum { Less = 1, Equal = 2, Greater = 4, Unordered = 8 };
  static constexpr int truth[16] = {Equal,
                                    Less,
                                    Less | Equal,
                                    Unordered,
                                    Less | Greater | Unordered,
                                    Equal | Greater | Unordered,
                                    Greater | Unordered,
                                    Less | Equal | Greater,
                                    Equal | Unordered,
                                    Less | Unordered,
                                    Less | Equal | Unordered,
                                    0,
                                    Less | Greater,
                                    Equal | Greater,
                                    Greater,
                                    Less | Equal | Greater | Unordered};
  __mmask16 mask = 0;
  for (int i = 0; i < 16; i++) {
    const int is = a[i] < b[i] ? Less : a[i] == b[i] ? Equal : a[i] > b[i] ? Greater : Unordered;
    if (truth[predicate & 15] & is) mask |= 1 << i;
  }
  return mask;
}

template <class T, class V>
inline V chosen(V otherwise, uint64_t mask, V where_set) {
  auto r = lanes_of<T>(otherwise);
  const auto x = lanes_of<T>(where_set);
  for (size_t i = 0; i < r.size(); i++)
    if (mask >> i & 1) r[i] = x[i];
  return from_lanes<V>(r);
}
inline __m512 _mm512_mask_mov_ps(__m512 otherwise, __mmask16 mask, __m512 a) { return chosen<float>(otherwise, mask, a); }
inline __m512 _mm512_maskz_mov_ps(__mmask16 mask, __m512 a) { return chosen<float>(__m512{}, mask, a); }
inline __m512 _mm512_mask_blend_ps(__mmask16 mask, __m512 a, __m512 b) { return chosen<float>(a, mask, b); }
inline __m512i _mm512_mask_mov_epi8(__m512i otherwise, __mmask64 mask, __m512i a) { return chosen<int8_t>(otherwise, mask, a); }
inline __m512i _mm512_mask_mov_epi16(__m512i otherwise, __mmask32 mask, __m512i a) { return chosen<int16_t>(otherwise, mask, a); }
inline __m512i _mm512_mask_mov_epi32(__m512i otherwise, __mmask16 mask, __m512i a) { return chosen<int32_t>(otherwise, mask, a); }
inline __m512i _mm512_maskz_mov_epi8(__mmask64 mask, __m512i a) { return chosen<int8_t>(__m512i{}, mask, a); }
inline __m512i _mm512_maskz_mov_epi16(__mmask32 mask, __m512i a) { return chosen<int16_t>(__m512i{}, mask, a); }
inline __m512i _mm512_maskz_mov_epi32(__mmask16 mask, __m512i a) { return chosen<int32_t>(__m512i{}, mask, a); }
inline __m512i _mm512_mask_blend_epi32(__mmask16 mask, __m512i a, __m512i b) { return chosen<int32_t>(a, mask, b); }
// Lanes that are not chosen are neither read nor written.
inline __m512 _mm512_mask_loadu_ps(__m512 otherwise, __mmask16 mask, const void* p) {
  for (int i = 0; i < 16; i++)
    if (mask >> i & 1) std::memcpy((char*)&otherwise + 4 * i, (const char*)p + 4 * i, 4);
  return otherwise;
}
inline __m512 _mm512_maskz_loadu_ps(__mmask16 mask, const void* p) { return _mm512_mask_loadu_ps(__m512{}, mask, p); }
inline void _mm512_mask_storeu_ps(void* p, __mmask16 mask, __m512 a) {
  for (int i = 0; i < 16; i++)
    if (mask >> i & 1) std::memcpy((char*)p + 4 * i, (const char*)&a + 4 * i, 4);
}

// Moves between lanes. An index is taken modulo the number of elements.

template <class T>
inline __m512i permuted(__m512i index, __m512i a) {
  const auto from = lanes_of<T>(a);
  return each<__m512i, T>([&](T i) { return from[i % from.size()]; }, index);
}
template <class T>
inline __m512i permuted2(__m512i a, __m512i index, __m512i b) {
  const auto x = lanes_of<T>(a), y = lanes_of<T>(b);
  constexpr size_t n = 64 / sizeof(T);
  return each<__m512i, T>([&](T i) { return (i & n ? y : x)[i % n]; }, index);
}
inline __m512i _mm512_permutexvar_epi8(__m512i index, __m512i a) { return permuted<uint8_t>(index, a); }
inline __m512i _mm512_permutexvar_epi16(__m512i index, __m512i a) { return permuted<uint16_t>(index, a); }
inline __m512i _mm512_permutexvar_epi32(__m512i index, __m512i a) { return permuted<uint32_t>(index, a); }
inline __m512i _mm512_permutexvar_epi64(__m512i index, __m512i a) { return permuted<uint64_t>(index, a); }
inline __m512 _mm512_permutexvar_ps(__m512i index, __m512 a) { return (__m512)permuted<uint32_t>(index, (__m512i)a); }
inline __m512i _mm512_permutex2var_epi8(__m512i a, __m512i index, __m512i b) { return permuted2<uint8_t>(a, index, b); }
inline __m512i _mm512_permutex2var_epi16(__m512i a, __m512i index, __m512i b) { return permuted2<uint16_t>(a, index, b); }
inline __m512i _mm512_permutex2var_epi32(__m512i a, __m512i index, __m512i b) { return permuted2<uint32_t>(a, index, b); }
inline __m512i _mm512_permutex2var_epi64(__m512i a, __m512i index, __m512i b) { return permuted2<uint64_t>(a, index, b); }
inline __m512 _mm512_permutex2var_ps(__m512 a, __m512i index, __m512 b) {
  return (__m512)permuted2<uint32_t>((__m512i)a, index, (__m512i)b);
}

// Two 128-bit lanes of a, then two of b.
inline __m512i _mm512_shuffle_i32x4(__m512i a, __m512i b, int order) {
  const auto x = lanes_of<__m128i>(a), y = lanes_of<__m128i>(b);
  return from_lanes<__m512i>(std::array<__m128i, 4>{x[order & 3], x[order >> 2 & 3], y[order >> 4 & 3], y[order >> 6 & 3]});
}
inline __m512i _mm512_shuffle_i64x2(__m512i a, __m512i b, int order) { return _mm512_shuffle_i32x4(a, b, order); }
inline __m512 _mm512_shuffle_f32x4(__m512 a, __m512 b, int order) { return (__m512)_mm512_shuffle_i32x4((__m512i)a, (__m512i)b, order); }
// Bytes n to n + 15 of b followed by a, within each 128-bit lane.
inline __m512i _mm512_alignr_epi8(__m512i a, __m512i b, int n) {
  const auto x = lanes_of<uint8_t>(a), y = lanes_of<uint8_t>(b);
  std::array<uint8_t, 64> r;
  for (int i = 0; i < 64; i++) {
    const int lane = i / 16 * 16, at = i % 16 + n;
    r[i] = at < 16 ? y[lane + at] : at < 32 ? x[lane + at - 16] : 0;
  }
  return from_lanes<__m512i>(r);
}
inline __m128i _mm512_extracti32x4_epi32(__m512i a, int i) { return lanes_of<__m128i>(a)[i & 3]; }
inline __m128 _mm512_extractf32x4_ps(__m512 a, int i) { return lanes_of<__m128>(a)[i & 3]; }
inline __m256i _mm512_extracti64x4_epi64(__m512i a, int i) { return i & 1 ? upper(a) : lower(a); }
inline __m256i _mm512_extracti32x8_epi32(__m512i a, int i) { return i & 1 ? upper(a) : lower(a); }
inline __m256 _mm512_extractf32x8_ps(__m512 a, int i) { return i & 1 ? upper(a) : lower(a); }
inline __m512i _mm512_inserti64x4(__m512i a, __m256i b, int i) { return i & 1 ? join(lower(a), b) : join(b, upper(a)); }
inline __m512i _mm512_inserti32x8(__m512i a, __m256i b, int i) { return _mm512_inserti64x4(a, b, i); }

// Conversions. Wider by halves; narrower by truncation, or with (unsigned) saturation.

inline __m512i _mm512_cvtepi8_epi32(__m128i a) { return join(_mm256_cvtepi8_epi32(a), _mm256_cvtepi8_epi32(_mm_srli_si128(a, 8))); }
inline __m512i _mm512_cvtepu8_epi32(__m128i a) { return join(_mm256_cvtepu8_epi32(a), _mm256_cvtepu8_epi32(_mm_srli_si128(a, 8))); }
inline __m512i _mm512_cvtepi16_epi32(__m256i a) { return join(_mm256_cvtepi16_epi32(lower(a)), _mm256_cvtepi16_epi32(upper(a))); }
inline __m512i _mm512_cvtepu16_epi32(__m256i a) { return join(_mm256_cvtepu16_epi32(lower(a)), _mm256_cvtepu16_epi32(upper(a))); }
inline __m512i _mm512_cvtepi8_epi16(__m256i a) { return join(_mm256_cvtepi8_epi16(lower(a)), _mm256_cvtepi8_epi16(upper(a))); }
inline __m512i _mm512_cvtepu8_epi16(__m256i a) { return join(_mm256_cvtepu8_epi16(lower(a)), _mm256_cvtepu8_epi16(upper(a))); }

template <class R, class From, class To, bool SATURATE>
inline R narrowed(__m512i a) {
  const auto x = lanes_of<From>(a);
  std::array<To, 64 / sizeof(From)> r;
  for (size_t i = 0; i < r.size(); i++)
    r[i] = SATURATE ? (To)std::clamp<From>(x[i], (From)std::numeric_limits<To>::min(), (From)std::numeric_limits<To>::max()) : (To)x[i];
  return from_lanes<R>(r);
}
inline __m128i _mm512_cvtepi32_epi8(__m512i a) { return narrowed<__m128i, int32_t, int8_t, false>(a); }
inline __m128i _mm512_cvtsepi32_epi8(__m512i a) { return narrowed<__m128i, int32_t, int8_t, true>(a); }
inline __m128i _mm512_cvtusepi32_epi8(__m512i a) { return narrowed<__m128i, uint32_t, uint8_t, true>(a); }
inline __m256i _mm512_cvtepi32_epi16(__m512i a) { return narrowed<__m256i, int32_t, int16_t, false>(a); }
inline __m256i _mm512_cvtsepi32_epi16(__m512i a) { return narrowed<__m256i, int32_t, int16_t, true>(a); }
inline __m256i _mm512_cvtusepi32_epi16(__m512i a) { return narrowed<__m256i, uint32_t, uint16_t, true>(a); }
inline __m256i _mm512_cvtepi16_epi8(__m512i a) { return narrowed<__m256i, int16_t, int8_t, false>(a); }
inline __m256i _mm512_cvtsepi16_epi8(__m512i a) { return narrowed<__m256i, int16_t, int8_t, true>(a); }
inline __m256i _mm512_cvtusepi16_epi8(__m512i a) { return narrowed<__m256i, uint16_t, uint8_t, true>(a); }

inline __m512 _mm512_cvtepi32_ps(__m512i a) { return join(_mm256_cvtepi32_ps(lower(a)), _mm256_cvtepi32_ps(upper(a))); }
inline __m512i _mm512_cvtps_epi32(__m512 a) { return join(_mm256_cvtps_epi32(lower(a)), _mm256_cvtps_epi32(upper(a))); }
inline __m512i _mm512_cvttps_epi32(__m512 a) { return join(_mm256_cvttps_epi32(lower(a)), _mm256_cvttps_epi32(upper(a))); }
inline __m512 _mm512_cvtph_ps(__m256i a) { return join(_mm256_cvtph_ps(lower(a)), _mm256_cvtph_ps(upper(a))); }
inline __m256i _mm512_cvtps_ph(__m512 a, int rounding) {
  if (rounding & 3 || (rounding & 4 && _MM_GET_ROUNDING_MODE() != _MM_ROUND_NEAREST))
    fault("cvtps_ph is emulated to the nearest even only");
  return _mm256_set_m128i(_mm256_cvtps_ph(upper(a), 0), _mm256_cvtps_ph(lower(a), 0));
}

// 2^-m round(2^m x): m in the upper four bits of the immediate, the mode in the lower two, or MXCSR's with bit 2.
inline __m512 _mm512_roundscale_ps(__m512 a, int immediate) {
  const int digits = immediate >> 4 & 15, mode = immediate & 4 ? _MM_GET_ROUNDING_MODE() >> 13 : immediate & 3;
  for (int i = 0; i < 16; i++) {
    const double x = std::ldexp((double)a[i], digits);
    const double r = mode == 0 ? __builtin_roundeven(x) : mode == 1 ? std::floor(x) : mode == 2 ? std::ceil(x) : std::trunc(x);
    a[i] = (float)std::ldexp(r, -digits);
  }
  return a;
}
// a 2^floor(b); an infinite b decides alone, but for 0 * inf and inf * 0.
inline __m512 _mm512_scalef_ps(__m512 a, __m512 b) {
  for (int i = 0; i < 16; i++) {
    const double power = std::isinf(b[i]) ? (double)b[i] : std::clamp(std::floor((double)b[i]), -400.0, 400.0);
    a[i] = (float)((double)a[i] * std::exp2(power));
  }
  return a;
}

// Reductions: the halves of what is left are added, element by element, down to one. That is the order of GCC's and Clang's.

template <class F>
inline float reduced(__m512 v, F f) {
  std::array<float, 16> x = lanes_of<float>(v);
  for (int w = 8; w; w /= 2)
    for (int i = 0; i < w; i++) x[i] = f(x[i + w], x[i]);
  return x[0];
}
inline float _mm512_reduce_add_ps(__m512 a) {
  return reduced(a, [](float x, float y) { return x + y; });
}
inline float _mm512_reduce_max_ps(__m512 a) {
  return reduced(a, [](float x, float y) { return x > y ? x : y; });
}
inline float _mm512_reduce_min_ps(__m512 a) {
  return reduced(a, [](float x, float y) { return x < y ? x : y; });
}
inline int _mm512_reduce_add_epi32(__m512i a) {
  uint32_t sum = 0;
  for (uint32_t x : lanes_of<uint32_t>(a)) sum += x;
  return (int)sum;
}
inline int _mm512_reduce_max_epi32(__m512i a) {
  const auto x = lanes_of<int>(a);
  return *std::max_element(x.begin(), x.end());
}
inline int _mm512_reduce_min_epi32(__m512i a) {
  const auto x = lanes_of<int>(a);
  return *std::min_element(x.begin(), x.end());
}

// VNNI: sums wrap; the s forms saturate the sum of accumulator and all products, once.

template <class A, class B, bool SATURATE>
inline __m512i dot_products(__m512i acc, __m512i a, __m512i b) {
  auto sums = lanes_of<int32_t>(acc);
  const auto x = lanes_of<A>(a);
  const auto y = lanes_of<B>(b);
  constexpr int n = 4 / sizeof(A);
  for (int i = 0; i < 16; i++) {
    int64_t sum = sums[i];
    for (int j = 0; j < n; j++) sum += (int64_t)x[i * n + j] * y[i * n + j];
    sums[i] = SATURATE ? (int32_t)std::clamp<int64_t>(sum, INT32_MIN, INT32_MAX) : (int32_t)sum;
  }
  return from_lanes<__m512i>(sums);
}
inline __m512i _mm512_dpbusd_epi32(__m512i acc, __m512i a, __m512i b) { return dot_products<uint8_t, int8_t, false>(acc, a, b); }
inline __m512i _mm512_dpbusds_epi32(__m512i acc, __m512i a, __m512i b) { return dot_products<uint8_t, int8_t, true>(acc, a, b); }
inline __m512i _mm512_dpwssd_epi32(__m512i acc, __m512i a, __m512i b) { return dot_products<int16_t, int16_t, false>(acc, a, b); }
inline __m512i _mm512_dpwssds_epi32(__m512i acc, __m512i a, __m512i b) { return dot_products<int16_t, int16_t, true>(acc, a, b); }

}  // namespace longra
