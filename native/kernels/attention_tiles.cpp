// Attention of generated tokens on the matrix unit: the query heads of a group, and the rows of a draft, are the rows of a tile.
//
// Bound by reading the cache once. Per chunk of 128 keys: scores, softmax, weighted values, one merge; the next chunk is
// prefetched in even portions between those steps, which measured 20 to 35 % better than all at once.
#include "attention.h"

#if defined(__AMX_BF16__)

namespace longra::LONGRA_ISA {

namespace {

constexpr int kChunk = 128;  // keys that share a maximum

struct alignas(64) TileConfig {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// Tiles 0-3 hold sums and 6, 7 queries or weights ([group] rows); 4 and 5 hold keys or values (16 rows).
void configure(int group) {
  TileConfig config;
  for (int i = 0; i < 8; i++) config.row_bytes[i] = 64, config.rows[i] = i == 4 || i == 5 ? 16 : group;
  _tile_loadconfig(&config);
}

// Two pages ahead, a portion at each step.
struct Ahead {
  const uint8_t* page[2] = {nullptr, nullptr};
  size_t at = 0, size = 0, portion = 0;

  Ahead(const CacheShape& shape, const CacheView& cache, int next_page, int steps) {
    for (int i = 0; i < 2 && next_page + i < cache.count; i++) page[i] = cache.page(next_page + i), size += shape.head_bytes();
    portion = (size / 64 + steps - 1) / steps * 64;
    half = shape.head_bytes();
  }
  LONGRA_INLINE void step(Ahead& a) {
    const size_t stop = a.at + a.portion < a.size ? a.at + a.portion : a.size;
    for (; a.at < stop; a.at += 64)
      _mm_prefetch((const char*)(a.at < a.half ? a.page[0] + a.at : a.page[1] + (a.at - a.half)), _MM_HINT_T0);
  }

 private:
  size_t half = 0;
};

struct Work {
  alignas(64) float scores[kChunk / 16][kTileQueries][16];
  alignas(64) uint16_t weights[kChunk / 32][kTileQueries][32];
  alignas(64) float values[kTileQueries * 512];
  float maximum[kTileQueries], sum[kTileQueries];
};

void scores(const CacheShape& shape, const CacheView& cache, int from, int pages, const uint16_t* q, int group, Ahead& ahead, Work& work) {
  const int halves = shape.k_width() / 32;
  for (int page = 0; page < pages; page++) {
    const uint8_t* keys = cache.page(from / kPageTokens + page);
    for (int tile = 0; tile < 4; tile += 2) {
      const uint8_t* a = keys + tile * halves * 1024;
      const uint8_t* b = a + halves * 1024;
      _tile_zero(0);
      _tile_zero(1);
      for (int half = 0; half < halves; half++) {
        _tile_loadd(6, q + half * group * 32, 64);
        _tile_loadd(4, a + half * 1024, 64);
        _tile_dpbf16ps(0, 6, 4);
        _tile_loadd(5, b + half * 1024, 64);
        _tile_dpbf16ps(1, 6, 5);
      }
      Ahead::step(ahead);
      _tile_stored(0, work.scores[page * 4 + tile], 64);
      _tile_stored(1, work.scores[page * 4 + tile + 1], 64);
    }
  }
}

// Weights 2^(score - the chunk's maximum) as bf16 of the keys that each query sees, zero for the others.
void softmax(const AttentionShape& attention, int from, int pages, const Seen* each, int group, Ahead& ahead, Work& work) {
  // Of two tiles' results packed one after the other, the places that are the order of tokens.
  alignas(64) static constexpr uint16_t order[32] = {0, 1, 2,  3,  16, 17, 18, 19, 4,  5,  6,  7,  20, 21, 22, 23,
                                                     8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31};
  const __m512i in_order = _mm512_load_si512(order);
  const int tiles = pages * 4;
  for (int h = 0; h < group; h++) {
    const bool whole = from >= each[h].begin && from + pages * kPageTokens <= each[h].end;
    Floats s[kChunk / 16], top = splat(kMasked);
    for (int t = 0; t < tiles; t++) {
      s[t] = score_of(attention, load(work.scores[t][h]));
      if (!whole) {
        const Ints position = tile_positions(from, t);
        s[t] = select_below(position, each[h].end, s[t], splat(kMasked));
        s[t] = select_below(position, each[h].begin, splat(kMasked), s[t]);
      }
      top = max(top, s[t]);
    }
    const float maximum = largest(top);
    Floats total = zero();
    for (int t = 0; t < tiles; t += 2) {
      Floats a = exp2(s[t] - splat(maximum)), b = exp2(s[t + 1] - splat(maximum));
      if (!whole) a = select_positive(s[t], a), b = select_positive(s[t + 1], b);
      total = total + a + b;
      const __m512i packed = (__m512i)_mm512_cvtne2ps_pbh(b.v, a.v);
      _mm512_store_si512(work.weights[t / 2][h], _mm512_permutexvar_epi16(in_order, packed));
    }
    Ahead::step(ahead);
    work.maximum[h] = maximum;
    work.sum[h] = sum(total);
  }
}

void weighted_values(const CacheShape& shape, const CacheView& cache, int from, int pages, Ahead& ahead, Work& work) {
  const int tiles = shape.v_width() / 16, stride = shape.v_width() * 4;
  for (int d = 0; d < tiles; d += 2) {
    const bool two = d + 1 < tiles;
    _tile_zero(0);
    _tile_zero(1);
    for (int g = 0; g < pages * 2; g++) {
      const uint8_t* values = cache.page(from / kPageTokens + g / 2) + shape.key_bytes();
      const uint8_t* v = values + ((g % 2) * tiles + d) * 1024;
      _tile_loadd(6, work.weights[g], 64);
      _tile_loadd(4, v, 64);
      _tile_dpbf16ps(0, 6, 4);
      if (two) {
        _tile_loadd(5, v + 1024, 64);
        _tile_dpbf16ps(1, 6, 5);
      }
      Ahead::step(ahead);
    }
    _tile_stored(0, work.values + d * 16, stride);
    if (two) _tile_stored(1, work.values + d * 16 + 16, stride);
  }
}

}  // namespace

void attend_span_tiles(const CacheShape& shape, const AttentionShape& attention, const CacheView& cache, Seen seen, const float* q,
                       const Seen* each, int group, float* partials) {
  const int k_width = shape.k_width(), v_width = shape.v_width(), halves = k_width / 32;
  const size_t size = partial_floats(shape);
  alignas(64) uint16_t packed_q[kTileQueries * 512];
  for (int half = 0; half < halves; half++)
    for (int h = 0; h < group; h++)
      _mm512_store_si512(packed_q + (half * group + h) * 32,
                         (__m512i)_mm512_cvtne2ps_pbh(load(q + h * k_width + half * 32 + 16).v, load(q + h * k_width + half * 32).v));
  configure(group);
  Work work;
  bool first = true;
  for (int from = seen.begin / kChunk * kChunk; from < seen.end; from += kChunk) {
    const int pages = seen.end - from <= kPageTokens ? 1 : 2;
    const int steps = pages * 2 + group + (v_width / 16 + 1) / 2 * pages * 2;
    Ahead ahead(shape, cache, (from + kChunk) / kPageTokens, steps);
    scores(shape, cache, from, pages, packed_q, group, ahead, work);
    softmax(attention, from, pages, each, group, ahead, work);
    weighted_values(shape, cache, from, pages, ahead, work);
    for (int h = 0; h < group; h++) {
      float* p = partials + h * size;
      const float* values = work.values + h * v_width;
      if (first) {
        p[0] = work.maximum[h];
        p[1] = work.sum[h];
        memcpy(p + 16, values, (size_t)v_width * 4);
      } else {
        fold(p, p + 1, p + 16, work.maximum[h], work.sum[h], values, v_width);
      }
    }
    first = false;
  }
  _tile_release();
}

}  // namespace longra::LONGRA_ISA

#endif
