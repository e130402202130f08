// Attention of single tokens (decode, and every prefill without a matrix unit) over packed pages.
//
// One pass over the cache serves all query heads of a key/value head. Keys are taken in chunks of 128 at fixed positions:
// scores, the chunk's own maximum, exponentials, weighted values, one merge; spans of 512 keys give results that are merged
// in order afterwards. So a row's sums depend on its position alone. Sums, softmax and merges are float32.
#include "attention.h"

namespace longra::LONGRA_ISA {

namespace {

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
    for (int h = 0; h < H; h++) s[h] = fma(v1, splat(weights[h * kChunk + t + 1]), fma(v0, splat(weights[h * kChunk + t]), s[h]));
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
      float (*out)[16] = c.scores[page * 4 + tile];
      int h = 0;
      for (; h + 4 <= group; h += 4) score_tile<FLOATS, 4>(keys + tile * tile_bytes, shape.k_width(), q + h * q_stride, q_stride, out + h);
      for (; h < group; h++) score_tile<FLOATS, 1>(keys + tile * tile_bytes, shape.k_width(), q + h * q_stride, q_stride, out + h);
    }
  }
}

template <bool FLOATS>
void chunk_values(const CacheShape& shape, const CacheView& cache, int from, int pages, int group, Chunk& c) {
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
      for (; h < group; h++) value_tile<FLOATS, 1>(values, v_width, d, kPageTokens, weights + h * kChunk, c.values + h * v_width, v_width);
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

}  // namespace

void attend_span(const CacheShape& shape, const AttentionShape& attention, const CacheView& cache, int begin, int end, const float* q,
                 size_t q_stride, int group, float* partial) {
#if defined(__AMX_BF16__)
  if (!shape.floats) return attend_span_tiles(shape, attention, cache, begin, end, q, q_stride, group, partial);
#endif
  const int v_width = shape.v_width();
  float *maximum = partial, *total = partial + kGroupRows, *values = partial + 2 * kGroupRows;
  for (int h = 0; h < group; h++) {
    maximum[h] = kMasked;
    total[h] = 0;
    for (int d = 0; d < v_width; d += 16) store(values + h * v_width + d, zero());
  }
  Chunk c;
  for (int from = begin / kChunk * kChunk; from < end; from += kChunk) {
    const int pages = end - from <= kPageTokens ? 1 : 2;
    if (shape.floats)
      chunk_scores<true>(shape, cache, from, pages, q, q_stride, group, c);
    else
      chunk_scores<false>(shape, cache, from, pages, q, q_stride, group, c);
    chunk_softmax(attention, from, pages, begin, end, group, c);
    if (shape.floats)
      chunk_values<true>(shape, cache, from, pages, group, c);
    else
      chunk_values<false>(shape, cache, from, pages, group, c);
    for (int h = 0; h < group; h++)
      fold(maximum + h, total + h, values + h * v_width, c.maximum[h], c.sum[h], c.values + h * v_width, v_width);
  }
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
