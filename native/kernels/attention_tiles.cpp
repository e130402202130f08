// Attention of generated tokens in bf16, on the matrix unit or on vectors: the query heads of a group, and the rows of a draft, are
// the rows of a tile.
//
// Scores of a whole span, its softmax, its weighted values: three passes without a merge between them. Weights 2^(score - maximum)
// are made as bf16 bit patterns (softmax_weights.h). Meanwhile keys and values are read ahead.
#if defined(__AVX512BF16__)

#include "attention.h"
#include "bf16_products.h"
#include "read_ahead.h"
#include "softmax_weights.h"
#include "tiles.h"

#include <type_traits>

namespace longra::LONGRA_ISA {

namespace {

constexpr int kTiles = kSpan / 16, kPairs = kSpan / 32;

struct Work {
  alignas(64) float scores[kTiles][kTileQueries][16];
  alignas(64) uint16_t weights[kPairs][kTileQueries][32];
};

#if defined(__AMX_BF16__)

// Tiles 0-3 hold sums and 6, 7 queries or weights ([group] rows); 4 and 5 hold keys or values (16 rows).
void configure(int group) {
  configure_tiles([group](int tile) { return tile == 4 || tile == 5 ? 16 : group; });
}

void release() { _tile_release(); }

void scores(const CacheShape& shape, const CacheView& cache, int first, int last, const uint16_t* q, int group, Ahead& ahead, Work& work) {
  const int halves = shape.k_width() / 32, tile = halves * 1024;
  for (int page = first; page < last; page++) {
    const uint8_t* keys = cache.page(page);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int half = 0; half < halves; half++, keys += 1024) {
      _tile_loadd(6, q + half * group * 32, 64);
      _tile_loadd(4, keys, 64);
      _tile_dpbf16ps(0, 6, 4);
      Ahead::step(ahead);
      _tile_loadd(5, keys + tile, 64);
      _tile_dpbf16ps(1, 6, 5);
      Ahead::step(ahead);
      _tile_loadd(4, keys + 2 * tile, 64);
      _tile_dpbf16ps(2, 6, 4);
      Ahead::step(ahead);
      _tile_loadd(5, keys + 3 * tile, 64);
      _tile_dpbf16ps(3, 6, 5);
      Ahead::step(ahead);
    }
    float* to = work.scores[(page - first) * 4][0];
    _tile_stored(0, to, 64);
    _tile_stored(1, to + kTileQueries * 16, 64);
    _tile_stored(2, to + kTileQueries * 32, 64);
    _tile_stored(3, to + kTileQueries * 48, 64);
  }
}

void weighted_values(const CacheShape& shape, const CacheView& cache, int first, int last, int, Ahead& ahead, const Work& work,
                     float* values, size_t stride) {
  const int tiles = shape.v_width() / 16;
  for (int d = 0; d < tiles; d += 4) {
    const int count = tiles - d;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int g = 0; g < (last - first) * 2; g++) {
      const uint8_t* v = cache.page(first + g / 2) + shape.key_bytes() + ((g % 2) * tiles + d) * 1024;
      _tile_loadd(6, work.weights[g], 64);
      _tile_loadd(4, v, 64);
      _tile_dpbf16ps(0, 6, 4);
      Ahead::step(ahead);
      if (count > 1) {
        _tile_loadd(5, v + 1024, 64);
        _tile_dpbf16ps(1, 6, 5);
        Ahead::step(ahead);
      }
      if (count > 2) {
        _tile_loadd(4, v + 2048, 64);
        _tile_dpbf16ps(2, 6, 4);
        Ahead::step(ahead);
      }
      if (count > 3) {
        _tile_loadd(5, v + 3072, 64);
        _tile_dpbf16ps(3, 6, 5);
        Ahead::step(ahead);
      }
    }
    _tile_stored(0, values + d * 16, stride * 4);
    if (count > 1) _tile_stored(1, values + d * 16 + 16, stride * 4);
    if (count > 2) _tile_stored(2, values + d * 16 + 32, stride * 4);
    if (count > 3) _tile_stored(3, values + d * 16 + 48, stride * 4);
  }
}

#else

void configure(int) {}
void release() {}

// Rows at once; with two tiles, or four by fewer rows, their sums stay in registers.
constexpr int kAtOnce = 8;
constexpr int tiles_at_once(int rows) { return rows > 6 ? 2 : 4; }

// Tiles first, first + 1, ... of the sums of R rows.
template <int R, class B>
void multiply_tiles(PairRows a, int groups, int tiles, const B& b, float* c, size_t c_row, size_t c_tile) {
  constexpr int T = tiles_at_once(R);
  int first = 0;
  for (; first + T <= tiles; first += T)
    multiply_pairs<R, T, false>(a, groups, [&](int g, int t) { return b(g, first + t); }, c + first * c_tile, c_row, c_tile);
  for (; first < tiles; first++)
    multiply_pairs<R, 1, false>(a, groups, [&](int g, int) { return b(g, first); }, c + first * c_tile, c_row, c_tile);
}

// All rows in runs of up to kAtOnce, as equal as they go; the first one reads ahead for all.
template <class B>
void multiply_rows(PairRows a, int groups, int rows, int tiles, const B& b, Ahead& ahead, float* c, size_t c_row, size_t c_tile) {
  const int runs = (rows + kAtOnce - 1) / kAtOnce;
  for (int i = 0; i < runs; i++) {
    const int begin = rows * i / runs, end = rows * (i + 1) / runs;
    auto tile = [&](int g, int t) {
      if (i == 0) Ahead::step(ahead);
      return b(g, t);
    };
    auto multiply = [&]<int R>(std::integral_constant<int, R>) {
      multiply_tiles<R>({a.data + begin * 32, a.group}, groups, tiles, tile, c + begin * c_row, c_row, c_tile);
    };
    switch (end - begin) {
      case 1: multiply(std::integral_constant<int, 1>()); break;
      case 2: multiply(std::integral_constant<int, 2>()); break;
      case 3: multiply(std::integral_constant<int, 3>()); break;
      case 4: multiply(std::integral_constant<int, 4>()); break;
      case 5: multiply(std::integral_constant<int, 5>()); break;
      case 6: multiply(std::integral_constant<int, 6>()); break;
      case 7: multiply(std::integral_constant<int, 7>()); break;
      default: multiply(std::integral_constant<int, 8>()); break;
    }
  }
}

void scores(const CacheShape& shape, const CacheView& cache, int first, int last, const uint16_t* q, int group, Ahead& ahead, Work& work) {
  const int halves = shape.k_width() / 32;
  for (int page = first; page < last; page++) {
    const uint16_t* keys = (const uint16_t*)cache.page(page);
    multiply_rows(
        {q, (size_t)group * 32}, halves, group, 4, [&](int half, int t) { return keys + (t * halves + half) * 512; }, ahead,
        work.scores[(page - first) * 4][0], 16, kTileQueries * 16);
  }
}

void weighted_values(const CacheShape& shape, const CacheView& cache, int first, int last, int group, Ahead& ahead, const Work& work,
                     float* values, size_t stride) {
  const int tiles = shape.v_width() / 16;
  auto value = [&](int g, int t) { return (const uint16_t*)(cache.page(first + g / 2) + shape.key_bytes()) + ((g % 2) * tiles + t) * 512; };
  multiply_rows({work.weights[0][0], kTileQueries * 32}, (last - first) * 2, group, tiles, value, ahead, values, stride, 16);
}

#endif

// Soft cap and masks, which most spans do not need.
Floats changed(const AttentionShape& attention, int from, int tile, Seen seen, Floats score) {
  if (attention.softcap != 0) score = score_of(attention, score) * splat(1.0f / (attention.scale * kLog2E));
  const Ints position = tile_positions(from, tile);
  score = select_below(position, seen.end, score, splat(kMasked));
  return select_below(position, seen.begin, splat(kMasked), score);
}

// Weights of the keys that a query sees, zero for the others; returns maximum and sum.
void softmax(const AttentionShape& attention, int from, int tiles, Seen seen, int h, Ahead& ahead, Work& work, float* maximum,
             float* total) {
  Floats a = splat(kMasked), b = a;
  if (attention.softcap != 0 || from < seen.begin || from + tiles * 16 > seen.end)
    for (int t = 0; t < tiles; t++) store(work.scores[t][h], changed(attention, from, t, seen, load(work.scores[t][h])));
  for (int t = 0; t < tiles; t += 2) {
    a = max(a, load(work.scores[t][h]));
    b = max(b, load(work.scores[t + 1][h]));
  }
  const float top = largest(max(a, b));
  if (top <= kMasked / 2) {
    for (int g = 0; g < tiles / 2; g++) _mm512_store_si512(work.weights[g][h], _mm512_setzero_si512());
    *maximum = kMasked;
    *total = 0;
    return;
  }
  const WeightsBelow weights(attention.scale * kLog2E, top * attention.scale * kLog2E);
  Floats sums = zero();
  for (int g = 0; g < tiles / 2; g++) {
    _mm512_store_si512(work.weights[g][h], WeightsBelow::of(weights, load(work.scores[2 * g][h]), load(work.scores[2 * g + 1][h]), sums));
    Ahead::step(ahead);
  }
  *maximum = top * attention.scale * kLog2E;
  *total = sum(sums);
}

}  // namespace

void attend_span_tiles(const CacheShape& shape, const AttentionShape& attention, const CacheView& cache, Seen seen, const float* q,
                       const Seen* each, int group, float* partials) {
  const int k_width = shape.k_width(), halves = k_width / 32;
  const int first = seen.begin / kPageTokens, last = (seen.end + kPageTokens - 1) / kPageTokens;
  const size_t size = partial_floats(shape);
  alignas(64) uint16_t packed_q[kTileQueries * 512];
  for (int half = 0; half < halves; half++)
    for (int h = 0; h < group; h++)
      _mm512_store_si512(packed_q + (half * group + h) * 32,
                         (__m512i)_mm512_cvtne2ps_pbh(load(q + h * k_width + half * 32 + 16).v, load(q + h * k_width + half * 32).v));
  configure(group);
  Work work;
  Ahead ahead(shape, cache, first, last, shape.k_width() / 8 + 2 * group + shape.v_width() / 8);
  scores(shape, cache, first, last, packed_q, group, ahead, work);
  for (int h = 0; h < group; h++) {
    float* partial = partials + h * size;
    softmax(attention, first * kPageTokens, (last - first) * 4, each[h], h, ahead, work, partial, partial + 1);
  }
  weighted_values(shape, cache, first, last, group, ahead, work, partials + 16, size);
  release();
}

}  // namespace longra::LONGRA_ISA

#endif
