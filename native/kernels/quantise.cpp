// Rows to 8 bits in groups of 32: scale = largest / 127, codes to the nearest even.
#include "../runtime/kernels.h"
#include "simd.h"

namespace longra::LONGRA_ISA {

namespace {

#if defined(__AVX512F__)

void put_codes(Ints a, Ints b, QuantisedGroup& to, int32_t (&sums)[2]) {
  const __m128i order = _mm_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
  _mm_storeu_si128((__m128i*)to.codes, _mm_shuffle_epi8(_mm512_cvtepi32_epi8(a.v), order));
  _mm_storeu_si128((__m128i*)to.codes + 1, _mm_shuffle_epi8(_mm512_cvtepi32_epi8(b.v), order));
  sums[0] = _mm512_reduce_add_epi32(a.v);
  sums[1] = _mm512_reduce_add_epi32(b.v);
  for (int h = 0; h < 2; h++) to.sums[h] = -sums[h];
  to.sums[2] = -sums[0] - sums[1];
}

#elif defined(__AVX2__)

// Packing works in halves of 16 bytes, which leaves k = 0-3, 8-11, 16-19, 24-27 in the low one and the rest in the high one.
void put_codes(Ints a, Ints b, QuantisedGroup& to, int32_t (&sums)[2]) {
  const __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(a.a, a.b), _mm256_packs_epi32(b.a, b.b));
  const __m128i low = _mm256_castsi256_si128(packed), high = _mm256_extracti128_si256(packed, 1);
  const __m256i codes = _mm256_set_m128i(_mm_unpackhi_epi8(low, high), _mm_unpacklo_epi8(low, high));
  _mm256_store_si256((__m256i*)to.codes, codes);
  __m256i pairs = _mm256_sub_epi16(_mm256_setzero_si256(), _mm256_maddubs_epi16(_mm256_set1_epi8(1), codes));
  pairs = _mm256_add_epi16(pairs, _mm256_shuffle_epi32(pairs, 0x4e));
  pairs = _mm256_add_epi16(pairs, _mm256_shuffle_epi32(pairs, 0xb1));
  const __m128i first = _mm256_castsi256_si128(pairs), second = _mm256_extracti128_si256(pairs, 1);
  const __m128i ones = _mm_set1_epi16(1);
  sums[0] = -_mm_cvtsi128_si32(_mm_madd_epi16(first, ones));
  sums[1] = -_mm_cvtsi128_si32(_mm_madd_epi16(second, ones));
#if defined(LONGRA_VNNI)
  for (int h = 0; h < 2; h++) to.sums[h] = -sums[h];
  to.sums[2] = -sums[0] - sums[1];
#else
  to.sums[0] = _mm_cvtsi128_si32(first);
  to.sums[1] = _mm_cvtsi128_si32(second);
  to.sums[2] = _mm_cvtsi128_si32(_mm_add_epi16(first, second));
#endif
}

#else

void put_codes(Ints a, Ints b, QuantisedGroup& to, int32_t (&sums)[2]) {
  int32_t x[32];
  store_line(x, a);
  store_line(x + 16, b);
  int pairs[2][2] = {};  // of each half: less its codes in the low pairs of bytes, in the high ones
  for (int k = 0; k < 32; k++) {
    to.codes[operand_of(k) * 4 + byte_of(k)] = (int8_t)x[k];
    pairs[k / 16][byte_of(k) / 2] -= x[k];
  }
  auto both = [](int low, int high) { return (int32_t)((uint32_t)low & 0xffff) | (int32_t)((uint32_t)high << 16); };
  for (int h = 0; h < 2; h++) {
    to.sums[h] = both(pairs[h][0], pairs[h][1]);
    sums[h] = -pairs[h][0] - pairs[h][1];
  }
  to.sums[2] = both(pairs[0][0] + pairs[1][0], pairs[0][1] + pairs[1][1]);
}

#endif

}  // namespace

static void quantise_group(const float* x, QuantisedGroup& to) {
  const Floats a = load(x), b = load(x + 16);
  const float top = largest(max(abs(a), abs(b)));
  const Floats inverse = splat(top > 0 ? 127.0f / top : 0.0f);
  int32_t sums[2];
  put_codes(to_ints(a * inverse), to_ints(b * inverse), to, sums);
  to.scale = top / 127.0f * kUnit;
  to.scaled[0] = to.scale * (float)sums[0];
  to.scaled[1] = to.scale * (float)sums[1];
  to.scaled[2] = to.scale * (float)(sums[0] + sums[1]);
}

void quantise(const float* const* x, int row, int count, const QuantisedRows& rows) {
  const int first = row / kChunkRows * kChunkRows, apart = rows.chunk_rows(first);
  QuantisedGroup* to = rows.chunk(first) + (row - first);
  for (int g = 0; g < rows.groups; g++, to += apart)
    for (int r = 0; r < count; r++) {
      prefetch_to_write(to + r + 2 * apart);
      quantise_group(x[r] + g * 32, to[r]);
    }
}

}  // namespace longra::LONGRA_ISA
