// Emulated AVX-VNNI: the one instruction of it that kernels use. Included before every kernel file of the set.
#pragma once
#include <immintrin.h>

#define __AVXVNNI__ 1

namespace longra {

// acc + the dot product of four unsigned with four signed bytes in each lane: even bytes, then odd ones, as 16 bits.
inline __m256i _mm256_dpbusd_avx_epi32(__m256i acc, __m256i a, __m256i b) {
  const __m256i low = _mm256_set1_epi16(255);
  const __m256i even = _mm256_madd_epi16(_mm256_and_si256(a, low), _mm256_srai_epi16(_mm256_slli_epi16(b, 8), 8));
  const __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(a, 8), _mm256_srai_epi16(b, 8));
  return _mm256_add_epi32(acc, _mm256_add_epi32(even, odd));
}

}  // namespace longra
