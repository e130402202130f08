// Attention of single tokens (decode, and every prefill without a matrix unit) over packed pages.
//
// One pass over the cache serves all query heads of a key/value head. Keys are taken in chunks of 128 at fixed positions:
// scores, the chunk's own maximum, exponentials, weighted values, one merge; spans of 512 keys give results that are merged
// in order afterwards. So a row's sums depend on its position alone. Sums, softmax and merges are float32.
#include "attention.h"

namespace longra::LONGRA_ISA {

namespace {

constexpr int kChunk = 128;

struct Chunk {
  alignas(64) float scores[kChunk / 16][kGroupRows][16];  // [tile][head][lane]
  alignas(64) float weights[kGroupRows][kChunk];          // in token order
  alignas(64) float values[kGroupRows * 512];             // [head][v_width], v_width up to 512
  float maximum[kGroupRows], sum[kGroupRows];
};

// Scores of 16 keys for `group` heads, four heads at a time.
template <bool FLOATS, int H>
LONGRA_INLINE void score_tile(const uint8_t* keys, int k_width, const float* q, size_t q_stride, float (*out)[16]) {
  Floats s[H];
  for (int h = 0; h < H; h++) s[h] = zero();
  for (int d = 0; d < k_width; d += 2) {
    Floats k0, k1;
    if constexpr (FLOATS) {
      k0 = load((const float*)keys + d * 16);
      k1 = load((const float*)keys + d * 16 + 16);
    } else {
      const Ints line = load_line(keys + d * 32);
      k0 = low_bf16(line);
      k1 = high_bf16(line);
    }
    for (int h = 0; h < H; h++) s[h] = fma(k1, splat(q[h * q_stride + d + 1]), fma(k0, splat(q[h * q_stride + d]), s[h]));
  }
  for (int h = 0; h < H; h++) store(out[h], s[h]);
}

template <bool FLOATS, int H>
LONGRA_INLINE void value_tile(const uint8_t* values, int v_width, int dim, int tokens, const float* weights, float* out, int out_stride) {
  Floats s[H];
  for (int h = 0; h < H; h++) s[h] = load(out + h * out_stride + dim);
  for (int t = 0; t < tokens; t += 2) {
    Floats v0, v1;
    if constexpr (FLOATS) {
      v0 = load((const float*)values + t * v_width + dim);
      v1 = load((const float*)values + (t + 1) * v_width + dim);
    } else {
      const Ints line = load_line(values + ((t / 32 * (v_width / 16) + dim / 16) * 16 + t % 32 / 2) * 64);
      v0 = low_bf16(line);
      v1 = high_bf16(line);
    }
    for (int h = 0; h < H; h++)
      s[h] = fma(v1, splat(weights[h * kChunk + t + 1]), fma(v0, splat(weights[h * kChunk + t]), s[h]));
  }
  for (int h = 0; h < H; h++) store(out + h * out_stride + dim, s[h]);
}

template <bool FLOATS>
void chunk_scores(const CacheShape& shape, const CacheView& cache, int from, int pages, const float* q, size_t q_stride, int group,
                  Chunk& c) {
  const size_t tile_bytes = (size_t)shape.k_width() * 16 * shape.value_bytes();
  for (int page = 0; page < pages; page++) {
    const uint8_t* keys = cache.page(from / kPageTokens + page);
    for (int tile = 0; tile < 4; tile++) {
      float(*out)[16] = c.scores[page * 4 + tile];
      int h = 0;
      for (; h + 4 <= group; h += 4)
        score_tile<FLOATS, 4>(keys + tile * tile_bytes, shape.k_width(), q + h * q_stride, q_stride, out + h);
      for (; h < group; h++) score_tile<FLOATS, 1>(keys + tile * tile_bytes, shape.k_width(), q + h * q_stride, q_stride, out + h);
    }
  }
}

template <bool FLOATS> void chunk_values(const CacheShape& shape, const CacheView& cache, int from, int pages, int group, Chunk& c) {
  const int v_width = shape.v_width();
  for (int h = 0; h < group; h++)
    for (int d = 0; d < v_width; d += 16) store(c.values + h * v_width + d, zero());
  for (int page = 0; page < pages; page++) {
    const uint8_t* values = cache.page(from / kPageTokens + page) + (size_t)kPageTokens * shape.k_width() * shape.value_bytes();
    const float* weights = &c.weights[0][page * kPageTokens];
    for (int d = 0; d < v_width; d += 16) {
      int h = 0;
      for (; h + 4 <= group; h += 4)
        value_tile<FLOATS, 4>(values, v_width, d, kPageTokens, weights + h * kChunk, c.values + h * v_width, v_width);
      for (; h < group; h++)
        value_tile<FLOATS, 1>(values, v_width, d, kPageTokens, weights + h * kChunk, c.values + h * v_width, v_width);
    }
  }
}

// Weights 2^(score - maximum) of the keys [begin, end) of a chunk, in token order; zero for the others.
void chunk_softmax(const AttentionShape& attention, int from, int pages, int begin, int end, int group, Chunk& c) {
  const int tiles = pages * 4;
  for (int h = 0; h < group; h++) {
    Floats top = splat(kMasked);
    for (int t = 0; t < tiles; t++) {
      Floats s = score_of(attention, load(c.scores[t][h]));
      const Ints position = tile_positions(from, t);
      s = select_below(position, end, s, splat(kMasked));
      s = select_below(position, begin, splat(kMasked), s);
      store(c.scores[t][h], s);
      top = max(top, s);
    }
    const float maximum = largest(top);
    Floats total = zero();
    for (int t = 0; t < tiles; t++) {
      const Floats s = load(c.scores[t][h]);
      const Floats w = select_positive(s, exp2(s - splat(maximum)));
      total = total + w;
      store_token_order(c.weights[h] + t / 2 * 32, t % 2, w);
    }
    c.maximum[h] = maximum;
    c.sum[h] = sum(total);
  }
}

// Fold a chunk (or a span) into what is there: both relative to their own maximum.
LONGRA_INLINE void fold(float* maximum, float* total, float* values, float chunk_maximum, float chunk_sum, const float* chunk_values,
                        int v_width) {
  const float top = chunk_maximum > *maximum ? chunk_maximum : *maximum;
  const float keep = exp2_one(*maximum - top), take = exp2_one(chunk_maximum - top);
  *maximum = top;
  *total = *total * keep + chunk_sum * take;
  for (int d = 0; d < v_width; d += 16)
    store(values + d, fma(load(chunk_values + d), splat(take), load(values + d) * splat(keep)));
}

#if defined(__AMX_BF16__)

struct alignas(64) TileConfig {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// Tiles 0-3 hold sums and 6 queries or weights ([group] rows); 4 and 5 hold keys or values (16 rows).
void configure(int group) {
  TileConfig config;
  for (int i = 0; i < 8; i++) config.row_bytes[i] = 64, config.rows[i] = i == 4 || i == 5 ? 16 : group;
  _tile_loadconfig(&config);
}

constexpr int kAhead = 8192;

void tile_scores(const CacheShape& shape, const CacheView& cache, int from, int pages, const uint16_t* q, int group, Chunk& c) {
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
      _tile_stored(0, c.scores[page * 4 + tile], 64);
      _tile_stored(1, c.scores[page * 4 + tile + 1], 64);
    }
  }
}

void tile_values(const CacheShape& shape, const CacheView& cache, int from, int pages, int group, Chunk& c) {
  const int tiles = shape.v_width() / 16;
  alignas(64) uint16_t weights[kChunk / 32][kGroupRows][32];
  for (int g = 0; g < pages * 2; g++)
    for (int h = 0; h < group; h++)
      _mm512_store_si512(weights[g][h], (__m512i)_mm512_cvtne2ps_pbh(_mm512_load_ps(c.weights[h] + g * 32 + 16),
                                                                    _mm512_load_ps(c.weights[h] + g * 32)));
  for (int d = 0; d < tiles; d += 2) {
    const bool two = d + 1 < tiles;
    _tile_zero(0);
    _tile_zero(1);
    for (int g = 0; g < pages * 2; g++) {
      const uint8_t* values = cache.page(from / kPageTokens + g / 2) + (size_t)kPageTokens * shape.k_width() * 2;
      const uint8_t* v = values + ((g % 2) * tiles + d) * 1024;
      _tile_loadd(6, weights[g], 64);
      _tile_loadd(4, v, 64);
      _tile_dpbf16ps(0, 6, 4);
      if (two) {
        _tile_loadd(5, v + 1024, 64);
        _tile_dpbf16ps(1, 6, 5);
      }
    }
    _tile_stored(0, c.values + d * 16, shape.v_width() * 4);
    if (two) _tile_stored(1, c.values + d * 16 + 16, shape.v_width() * 4);
  }
}

#endif

}  // namespace

void attend_span(const CacheShape& shape, const AttentionShape& attention, const CacheView& cache, int begin, int end, const float* q,
                 size_t q_stride, int group, float* partial) {
  const int v_width = shape.v_width();
  float *maximum = partial, *total = partial + kGroupRows, *values = partial + 2 * kGroupRows;
  for (int h = 0; h < group; h++) {
    maximum[h] = kMasked;
    total[h] = 0;
    for (int d = 0; d < v_width; d += 16) store(values + h * v_width + d, zero());
  }
  Chunk c;
#if defined(__AMX_BF16__)
  alignas(64) uint16_t packed_q[kGroupRows * 512];
  if (!shape.floats) {
    configure(group);
    for (int half = 0; half < shape.k_width() / 32; half++)
      for (int h = 0; h < group; h++)
        _mm512_store_si512(packed_q + (half * group + h) * 32,
                           (__m512i)_mm512_cvtne2ps_pbh(load(q + h * q_stride + half * 32 + 16).v, load(q + h * q_stride + half * 32).v));
  }
#endif
  for (int from = begin / kChunk * kChunk; from < end; from += kChunk) {
    const int left = end - from, pages = left <= kPageTokens ? 1 : 2;
#if defined(__AMX_BF16__)
    if (!shape.floats) {
      if (left > kChunk) {  // the next chunk, while this one is worked on
        const int next = (from + kChunk) / kPageTokens;
        for (int page = next; page < next + 2 && page * kPageTokens < end; page++)
          for (size_t line = 0; line < shape.head_bytes(); line += 64) _mm_prefetch((const char*)cache.page(page) + line, _MM_HINT_T1);
      }
      tile_scores(shape, cache, from, pages, packed_q, group, c);
      chunk_softmax(attention, from, pages, begin, end, group, c);
      tile_values(shape, cache, from, pages, group, c);
    } else
#endif
    {
      if (shape.floats) chunk_scores<true>(shape, cache, from, pages, q, q_stride, group, c);
      else chunk_scores<false>(shape, cache, from, pages, q, q_stride, group, c);
      chunk_softmax(attention, from, pages, begin, end, group, c);
      if (shape.floats) chunk_values<true>(shape, cache, from, pages, group, c);
      else chunk_values<false>(shape, cache, from, pages, group, c);
    }
    for (int h = 0; h < group; h++)
      fold(maximum + h, total + h, values + h * v_width, c.maximum[h], c.sum[h], c.values + h * v_width, v_width);
  }
#if defined(__AMX_BF16__)
  if (!shape.floats) _tile_release();
#endif
}

void merge_spans(const CacheShape& shape, const float* partials, int spans, int group, float* y, size_t y_stride) {
  const int v_width = shape.v_width();
  const size_t size = partial_floats(shape);
  alignas(64) float values[512];
  for (int h = 0; h < group; h++) {
    float maximum = kMasked, total = 0;
    for (int d = 0; d < v_width; d += 16) store(values + d, zero());
    for (int s = 0; s < spans; s++) {
      const float* p = partials + s * size;
      fold(&maximum, &total, values, p[h], p[kGroupRows + h], p + 2 * kGroupRows + h * v_width, v_width);
    }
    const float inverse = 1.0f / total;
    for (int d = 0; d < shape.head_dim; d++) y[h * y_stride + d] = values[d] * inverse;
  }
}

void cache_write(const CacheShape& shape, uint8_t* head, int slot, const float* k, const float* v) {
  const int k_width = shape.k_width(), v_width = shape.v_width();
  if (shape.floats) {
    float* keys = (float*)head + (size_t)tile_of(slot) * k_width * 16 + lane_of(slot);
    float* values = (float*)head + (size_t)kPageTokens * k_width + (size_t)slot * v_width;
    for (int d = 0; d < shape.head_dim; d++) keys[d * 16] = k[d], values[d] = v[d];
    return;
  }
  uint16_t* keys = (uint16_t*)head + (size_t)tile_of(slot) * k_width * 16 + lane_of(slot) * 2;
  uint16_t* values = (uint16_t*)head + (size_t)kPageTokens * k_width + (size_t)(slot / 32) * v_width * 32 + slot % 32 / 2 * 32 + slot % 2;
  for (int d = 0; d < shape.head_dim; d++) {
    keys[d / 2 * 32 + d % 2] = float_to_bf16(k[d]);
    values[d / 16 * 512 + d % 16 * 2] = float_to_bf16(v[d]);
  }
}

}  // namespace longra::LONGRA_ISA
