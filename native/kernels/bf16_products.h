// Products of bf16 pairs on vectors, for processors that multiply them and have no matrix unit. Operands lie as they do for
// the matrix unit, and sums run in the same order.
#pragma once
#include "simd.h"

#if defined(__AVX512BF16__) && !defined(__AMX_BF16__)

namespace longra::LONGRA_ISA {

// a: rows of 32 numbers (16 pairs), one after the other, for each of `groups` groups of 32. b(g): tiles of [16 pairs][16][2] of group g.
struct PairRows {
  const uint16_t* data;
  size_t group;  // numbers from a group to the next
};

// c [R][16 T] = or += a by b; c's rows and tiles are c_row and c_tile apart.
template <int R, int T, bool ADD, class B>
LONGRA_INLINE void multiply_pairs(PairRows a, int groups, const B& b, float* c, size_t c_row, size_t c_tile) {
  __m512 s[R][T];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 4
    for (int t = 0; t < T; t++) s[r][t] = ADD ? _mm512_loadu_ps(c + r * c_row + t * c_tile) : _mm512_setzero_ps();
  for (int g = 0; g < groups; g++, a.data += a.group) {
    const uint16_t* tiles[T];
#pragma GCC unroll 4
    for (int t = 0; t < T; t++) tiles[t] = b(g, t);
#pragma GCC unroll 4
    for (int pair = 0; pair < 16; pair++) {
      __m512bh x[T];
#pragma GCC unroll 4
      for (int t = 0; t < T; t++) x[t] = (__m512bh)_mm512_loadu_si512(tiles[t] + pair * 32);
#pragma GCC unroll 8
      for (int r = 0; r < R; r++) {
        int32_t two;
        memcpy(&two, a.data + r * 32 + pair * 2, 4);
        const __m512bh y = (__m512bh)_mm512_set1_epi32(two);
#pragma GCC unroll 4
        for (int t = 0; t < T; t++) s[r][t] = _mm512_dpbf16_ps(s[r][t], y, x[t]);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 4
    for (int t = 0; t < T; t++) _mm512_storeu_ps(c + r * c_row + t * c_tile, s[r][t]);
}

}  // namespace longra::LONGRA_ISA

#endif
