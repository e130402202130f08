// The AVX-512 intrinsics that the kernels use, out of AVX2 ones or written lane by lane, for machines that lack them.
//
// Names in namespace longra hide the compiler's own from the kernels, which lie in namespaces inside it. Most instructions work
// on 128-bit lanes or single elements, so two AVX2 instructions are the same thing. Aligned loads and stores end the program
// where the processor would fault. Source of the semantics: Intel's Software Developer's Manual, volume 2.
#pragma once
#include <immintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <type_traits>

// Intrinsics with immediates are macros in some compilers or without optimisation.
#undef _mm512_alignr_epi8
#undef _mm512_cmp_epi32_mask
#undef _mm512_cmp_ps_mask
#undef _mm512_cvtps_ph
#undef _mm512_extractf32x4_ps
#undef _mm512_extractf32x8_ps
#undef _mm512_extracti32x4_epi32
#undef _mm512_extracti32x8_epi32
#undef _mm512_extracti64x4_epi64
#undef _mm512_inserti32x8
#undef _mm512_inserti64x4
#undef _mm512_roundscale_ps
#undef _mm512_shuffle_f32x4
#undef _mm512_shuffle_i32x4
#undef _mm512_shuffle_i64x2
#undef _mm512_slli_epi16
#undef _mm512_slli_epi32
#undef _mm512_slli_epi64
#undef _mm512_srai_epi16
#undef _mm512_srai_epi32
#undef _mm512_srli_epi16
#undef _mm512_srli_epi32
#undef _mm512_srli_epi64
#undef _mm512_ternarylogic_epi32
#undef _mm512_ternarylogic_epi64

namespace longra {

[[noreturn]] inline void fault(const char* what) {
  std::fprintf(stderr, "emulated instruction: %s\n", what);
  std::abort();
}

// Lanes of type T of a register, and a register of lanes.
template <class T, class V>
inline auto lanes_of(V v) {
  return std::bit_cast<std::array<T, sizeof(V) / sizeof(T)>>(v);
}
template <class V, class T, size_t N>
inline V from_lanes(const std::array<T, N>& lanes) {
  return std::bit_cast<V>(lanes);
}
// Each lane of type T of the result is f(lanes of the arguments).
template <class R, class T, class F, class... V>
inline R each(F f, V... v) {
  std::array<T, sizeof(R) / sizeof(T)> out;
  [&](const auto&... in) {
    for (size_t i = 0; i < out.size(); i++) out[i] = f(in[i]...);
  }(lanes_of<T>(v)...);
  return from_lanes<R>(out);
}

inline __m256 lower(__m512 v) { return std::bit_cast<std::array<__m256, 2>>(v)[0]; }
inline __m256 upper(__m512 v) { return std::bit_cast<std::array<__m256, 2>>(v)[1]; }
inline __m256i lower(__m512i v) { return std::bit_cast<std::array<__m256i, 2>>(v)[0]; }
inline __m256i upper(__m512i v) { return std::bit_cast<std::array<__m256i, 2>>(v)[1]; }
inline __m128i lower(__m256i v) { return _mm256_castsi256_si128(v); }
inline __m128i upper(__m256i v) { return _mm256_extracti128_si256(v, 1); }
inline __m512 join(__m256 low, __m256 high) { return std::bit_cast<__m512>(std::array<__m256, 2>{low, high}); }
inline __m512i join(__m256i low, __m256i high) { return std::bit_cast<__m512i>(std::array<__m256i, 2>{low, high}); }

// Loads, stores, constants, casts.

inline void need_aligned(const void* p) {
  if (reinterpret_cast<uintptr_t>(p) % 64) fault("an aligned load or store at an unaligned address");
}
template <class V>
inline V load_register(const void* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline __m512i _mm512_loadu_si512(const void* p) { return load_register<__m512i>(p); }
inline __m512i _mm512_loadu_epi8(const void* p) { return load_register<__m512i>(p); }
inline __m512i _mm512_loadu_epi16(const void* p) { return load_register<__m512i>(p); }
inline __m512i _mm512_loadu_epi32(const void* p) { return load_register<__m512i>(p); }
inline __m512 _mm512_loadu_ps(const void* p) { return load_register<__m512>(p); }
inline void _mm512_storeu_si512(void* p, __m512i v) { std::memcpy(p, &v, 64); }
inline void _mm512_storeu_epi8(void* p, __m512i v) { std::memcpy(p, &v, 64); }
inline void _mm512_storeu_epi16(void* p, __m512i v) { std::memcpy(p, &v, 64); }
inline void _mm512_storeu_epi32(void* p, __m512i v) { std::memcpy(p, &v, 64); }
inline void _mm512_storeu_ps(void* p, __m512 v) { std::memcpy(p, &v, 64); }
inline __m512i _mm512_load_si512(const void* p) { return need_aligned(p), _mm512_loadu_si512(p); }
inline __m512 _mm512_load_ps(const void* p) { return need_aligned(p), _mm512_loadu_ps(p); }
inline void _mm512_store_si512(void* p, __m512i v) { need_aligned(p), _mm512_storeu_si512(p, v); }
inline void _mm512_store_ps(void* p, __m512 v) { need_aligned(p), _mm512_storeu_ps(p, v); }
inline void _mm512_stream_si512(void* p, __m512i v) { _mm512_store_si512(p, v); }

template <class T>
inline __m512i filled(T x) {
  std::array<T, 64 / sizeof(T)> lanes;
  lanes.fill(x);
  return from_lanes<__m512i>(lanes);
}
inline __m512i _mm512_setzero_si512() { return __m512i{}; }
inline __m512 _mm512_setzero_ps() { return __m512{}; }
inline __m512i _mm512_set1_epi8(char x) { return filled(x); }
inline __m512i _mm512_set1_epi16(short x) { return filled(x); }
inline __m512i _mm512_set1_epi32(int x) { return filled(x); }
inline __m512i _mm512_set1_epi64(long long x) { return filled(x); }
inline __m512 _mm512_set1_ps(float x) { return (__m512)filled(x); }

inline __m512 _mm512_castsi512_ps(__m512i a) { return (__m512)a; }
inline __m512i _mm512_castps_si512(__m512 a) { return (__m512i)a; }
inline __m256i _mm512_castsi512_si256(__m512i a) { return lower(a); }
inline __m128i _mm512_castsi512_si128(__m512i a) { return lower(lower(a)); }
inline __m256 _mm512_castps512_ps256(__m512 a) { return lower(a); }
inline __m128 _mm512_castps512_ps128(__m512 a) { return _mm256_castps256_ps128(lower(a)); }
// The upper half is undefined: here it is what no kernel would want.
inline __m512i _mm512_castsi256_si512(__m256i a) { return join(a, _mm256_set1_epi8((char)0xcc)); }
inline __m512 _mm512_castps256_ps512(__m256 a) { return join(a, _mm256_set1_ps(std::numeric_limits<float>::quiet_NaN())); }
inline __m512i _mm512_zextsi256_si512(__m256i a) { return join(a, _mm256_setzero_si256()); }
inline float _mm512_cvtss_f32(__m512 a) { return a[0]; }
inline int _mm512_cvtsi512_si32(__m512i a) { return lanes_of<int>(a)[0]; }

inline __m512i _mm512_broadcast_i32x4(__m128i a) { return join(_mm256_broadcastsi128_si256(a), _mm256_broadcastsi128_si256(a)); }
inline __m512i _mm512_broadcast_i64x4(__m256i a) { return join(a, a); }
inline __m512 _mm512_broadcastss_ps(__m128 a) { return _mm512_set1_ps(a[0]); }
inline __m512i _mm512_broadcastd_epi32(__m128i a) { return _mm512_set1_epi32(lanes_of<int>(a)[0]); }
inline __m512i _mm512_broadcastw_epi16(__m128i a) { return _mm512_set1_epi16(lanes_of<short>(a)[0]); }
inline __m512i _mm512_broadcastb_epi8(__m128i a) { return _mm512_set1_epi8(lanes_of<char>(a)[0]); }

// By halves: the AVX2 instruction of the same name.

#define LONGRA_UNARY(V, name) \
  inline V _mm512_##name(V a) { return join(_mm256_##name(lower(a)), _mm256_##name(upper(a))); }
#define LONGRA_BINARY(V, name) \
  inline V _mm512_##name(V a, V b) { return join(_mm256_##name(lower(a), lower(b)), _mm256_##name(upper(a), upper(b))); }
#define LONGRA_TERNARY(name)                                                                               \
  inline __m512 _mm512_##name(__m512 a, __m512 b, __m512 c) {                                              \
    return join(_mm256_##name(lower(a), lower(b), lower(c)), _mm256_##name(upper(a), upper(b), upper(c))); \
  }
#define LONGRA_BY_COUNT(name, count)                                                                                       \
  inline __m512i _mm512_##name(__m512i a, unsigned n) {                                                                    \
    return join(_mm256_##count(lower(a), _mm_cvtsi32_si128((int)n)), _mm256_##count(upper(a), _mm_cvtsi32_si128((int)n))); \
  }

LONGRA_BINARY(__m512, add_ps)
LONGRA_BINARY(__m512, sub_ps)
LONGRA_BINARY(__m512, mul_ps)
LONGRA_BINARY(__m512, div_ps)
LONGRA_BINARY(__m512, max_ps)
LONGRA_BINARY(__m512, min_ps)
LONGRA_BINARY(__m512, and_ps)
LONGRA_BINARY(__m512, or_ps)
LONGRA_BINARY(__m512, xor_ps)
LONGRA_BINARY(__m512, andnot_ps)
LONGRA_BINARY(__m512, unpacklo_ps)
LONGRA_BINARY(__m512, unpackhi_ps)
LONGRA_UNARY(__m512, sqrt_ps)
LONGRA_UNARY(__m512, moveldup_ps)
LONGRA_UNARY(__m512, movehdup_ps)
LONGRA_TERNARY(fmadd_ps)
LONGRA_TERNARY(fmsub_ps)
LONGRA_TERNARY(fnmadd_ps)
LONGRA_TERNARY(fnmsub_ps)
inline __m512 _mm512_abs_ps(__m512 a) { return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a); }

LONGRA_BINARY(__m512i, add_epi8)
LONGRA_BINARY(__m512i, add_epi16)
LONGRA_BINARY(__m512i, add_epi32)
LONGRA_BINARY(__m512i, add_epi64)
LONGRA_BINARY(__m512i, sub_epi8)
LONGRA_BINARY(__m512i, sub_epi16)
LONGRA_BINARY(__m512i, sub_epi32)
LONGRA_BINARY(__m512i, sub_epi64)
LONGRA_BINARY(__m512i, adds_epi8)
LONGRA_BINARY(__m512i, adds_epi16)
LONGRA_BINARY(__m512i, adds_epu8)
LONGRA_BINARY(__m512i, adds_epu16)
LONGRA_BINARY(__m512i, subs_epi8)
LONGRA_BINARY(__m512i, subs_epi16)
LONGRA_BINARY(__m512i, subs_epu8)
LONGRA_BINARY(__m512i, subs_epu16)
LONGRA_BINARY(__m512i, mullo_epi16)
LONGRA_BINARY(__m512i, mullo_epi32)
LONGRA_BINARY(__m512i, mulhi_epi16)
LONGRA_BINARY(__m512i, mulhi_epu16)
LONGRA_BINARY(__m512i, mulhrs_epi16)
LONGRA_BINARY(__m512i, mul_epi32)
LONGRA_BINARY(__m512i, mul_epu32)
LONGRA_BINARY(__m512i, madd_epi16)
LONGRA_BINARY(__m512i, maddubs_epi16)
LONGRA_BINARY(__m512i, sad_epu8)
LONGRA_BINARY(__m512i, avg_epu8)
LONGRA_BINARY(__m512i, avg_epu16)
LONGRA_BINARY(__m512i, min_epi8)
LONGRA_BINARY(__m512i, min_epi16)
LONGRA_BINARY(__m512i, min_epi32)
LONGRA_BINARY(__m512i, min_epu8)
LONGRA_BINARY(__m512i, min_epu16)
LONGRA_BINARY(__m512i, min_epu32)
LONGRA_BINARY(__m512i, max_epi8)
LONGRA_BINARY(__m512i, max_epi16)
LONGRA_BINARY(__m512i, max_epi32)
LONGRA_BINARY(__m512i, max_epu8)
LONGRA_BINARY(__m512i, max_epu16)
LONGRA_BINARY(__m512i, max_epu32)
LONGRA_BINARY(__m512i, packs_epi16)
LONGRA_BINARY(__m512i, packs_epi32)
LONGRA_BINARY(__m512i, packus_epi16)
LONGRA_BINARY(__m512i, packus_epi32)
LONGRA_BINARY(__m512i, unpacklo_epi8)
LONGRA_BINARY(__m512i, unpacklo_epi16)
LONGRA_BINARY(__m512i, unpacklo_epi32)
LONGRA_BINARY(__m512i, unpacklo_epi64)
LONGRA_BINARY(__m512i, unpackhi_epi8)
LONGRA_BINARY(__m512i, unpackhi_epi16)
LONGRA_BINARY(__m512i, unpackhi_epi32)
LONGRA_BINARY(__m512i, unpackhi_epi64)
LONGRA_BINARY(__m512i, shuffle_epi8)
LONGRA_BINARY(__m512i, sllv_epi32)
LONGRA_BINARY(__m512i, srlv_epi32)
LONGRA_BINARY(__m512i, srav_epi32)
LONGRA_UNARY(__m512i, abs_epi8)
LONGRA_UNARY(__m512i, abs_epi16)
LONGRA_UNARY(__m512i, abs_epi32)
LONGRA_BY_COUNT(slli_epi16, sll_epi16)
LONGRA_BY_COUNT(slli_epi32, sll_epi32)
LONGRA_BY_COUNT(slli_epi64, sll_epi64)
LONGRA_BY_COUNT(srli_epi16, srl_epi16)
LONGRA_BY_COUNT(srli_epi32, srl_epi32)
LONGRA_BY_COUNT(srli_epi64, srl_epi64)
LONGRA_BY_COUNT(srai_epi16, sra_epi16)
LONGRA_BY_COUNT(srai_epi32, sra_epi32)

#undef LONGRA_UNARY
#undef LONGRA_BINARY
#undef LONGRA_TERNARY
#undef LONGRA_BY_COUNT

inline __m512i _mm512_and_si512(__m512i a, __m512i b) { return a & b; }
inline __m512i _mm512_or_si512(__m512i a, __m512i b) { return a | b; }
inline __m512i _mm512_xor_si512(__m512i a, __m512i b) { return a ^ b; }
inline __m512i _mm512_andnot_si512(__m512i a, __m512i b) { return ~a & b; }
inline __m512i _mm512_and_epi32(__m512i a, __m512i b) { return a & b; }
inline __m512i _mm512_or_epi32(__m512i a, __m512i b) { return a | b; }
inline __m512i _mm512_xor_epi32(__m512i a, __m512i b) { return a ^ b; }
// Bit (a << 2 | b << 1 | c) of the immediate, for each bit.
inline __m512i _mm512_ternarylogic_epi32(__m512i a, __m512i b, __m512i c, int table) {
  __m512i r{};
  for (int i = 0; i < 8; i++)
    if (table >> i & 1) r |= (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
  return r;
}
inline __m512i _mm512_ternarylogic_epi64(__m512i a, __m512i b, __m512i c, int table) { return _mm512_ternarylogic_epi32(a, b, c, table); }

}  // namespace longra

#include "avx512_lanes.h"
