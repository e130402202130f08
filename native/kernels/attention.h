// What single-token and block attention share: masks, the scaled score, the order of tokens in tiles.
#pragma once
#include "../runtime/kernels.h"
#include "simd.h"

namespace longra::LONGRA_ISA {

constexpr float kMasked = -1e30f;

// Positions of the lanes of tile t after `from`.
LONGRA_INLINE Ints tile_positions(int from, int t) {
  alignas(64) static constexpr int32_t tokens[16] = {0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27};
  return load_line(tokens) + splat_int(from + t / 2 * 32 + t % 2 * 4);
}

// The score in powers of two: scale * dot, under the soft cap if there is one.
LONGRA_INLINE Floats score_of(const AttentionShape& attention, Floats dot) {
  if (attention.softcap == 0) return dot * splat(attention.scale * kLog2E);
  // tanh(x) = 1 - 2 / (1 + e^2x)
  const Floats e = exp2(dot * splat(attention.scale / attention.softcap * 2 * kLog2E));
  const Floats tanh = splat(1.0f) - splat(2.0f) / (splat(1.0f) + e);
  return tanh * splat(attention.softcap * kLog2E);
}

// w where the score is not masked, else 0: a query may see no key at all.
LONGRA_INLINE Floats select_positive(Floats score, Floats w) { return select_above(score, kMasked / 2, w); }

#if defined(__AVX512BF16__)
constexpr int kTileQueries = 16;
void attend_span_tiles(const CacheShape& shape, const AttentionShape& attention, const CacheView& cache, Seen seen, const float* q,
                       const Seen* each, int count, float* partials);
#endif

}  // namespace longra::LONGRA_ISA
