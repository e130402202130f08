// Attention of any number of queries on plain vectors: decode, drafts and prefill alike, so that their bits agree.
//
// One pass over a span of 512 keys serves up to 48 queries (heads of a group, rows of a chunk). For more than a few of them, pages
// are unpacked to float32 one by one into the first-level cache; both halves, scores and weighted values, are small matrix products
// bound by multiply-adds. A span is short enough to keep its scores, so its maximum is known before its exponentials. Each of a query's
// sums runs over keys in one order, and keys that it may not see add exact zeros: its bits depend on its position alone.
#include "attention.h"

#include "attention_products.h"
#include "cache.h"

namespace longra::LONGRA_ISA {

namespace {

// So many queries' products take the pages' bf16 pairs as they lie; for more, unpacking once costs no more (measured on AVX2).
constexpr int kFewQueries = 24;

// Dots with keys from `from` become weights 2^(score - maximum), zero where the query does not see; returns maximum and sum.
void softmax(const AttentionShape& attention, int from, int tiles, Seen seen, float* scores, float* maximum, float* total, Ahead& ahead) {
  const bool whole = seen.begin <= from && from + tiles * 16 <= seen.end;
  const Floats scale = splat(attention.softcap == 0 ? attention.scale * kLog2E : 1.0f);
  Floats top = splat(kMasked), weights = zero();
  if (!whole || attention.softcap != 0)
    for (int t = 0; t < tiles; t++) {
      Floats s = load(scores + t * 16);
      if (attention.softcap != 0) s = score_of(attention, s);
      const Ints position = tile_positions(from, t);
      s = select_below(position, seen.end, s, splat(kMasked));
      store(scores + t * 16, select_below(position, seen.begin, splat(kMasked), s));
    }
  for (int t = 0; t < tiles; t++) top = max(top, load(scores + t * 16));
  *maximum = largest(top * scale);
  const Floats base = splat(-*maximum);
  for (int t = 0; t < tiles; t++) {
    const Floats s = load(scores + t * 16);
    Floats w = exp2_below(fma(s, scale, base));
    if (!whole) w = select_positive(s, w);
    weights = weights + w;
    store(scores + t * 16, w);
    if (t % 2 == 0) Ahead::step(ahead);
  }
  *total = sum(weights);
}

// Whether a page's pairs are multiplied as they lie.
bool as_they_lie(const CacheShape& shape, int queries) { return shape.kind == CacheKind::B16 && queries <= kFewQueries; }

// How often reading ahead gets a step while a page goes through keys, softmax and values.
size_t steps_of_page(const CacheShape& shape, int queries) {
  const int keys = shape.k_width(), tiles = shape.v_width() / 16;
  if (as_they_lie(shape, queries))
    return steps_of_product<KeyPairs>(queries, keys, 4) + 2 * queries + steps_of_product<ValuePairs>(queries, kPageTokens, tiles);
  const size_t unpacking = shape.kind == CacheKind::F32 ? 0 : shape.head_bytes() / 64 / kLinesAStep;
  return unpacking + steps_of_product<FloatLines>(queries, keys, 4) + 2 * queries +
         steps_of_product<FloatLines>(queries, kPageTokens, tiles);
}

// Products of queries with the keys of pages [first, last): scores [count][kSpan].
void multiply_keys(const CacheShape& shape, const CacheView& cache, int first, int last, const float* q, int count, float* unpacked,
                   float* scores, Ahead& ahead) {
  const int width = shape.k_width();
  for (int p = first; p < last; p++, scores += kPageTokens) {
    const uint8_t* head = cache.page(p);
    if (as_they_lie(shape, count))
      multiply<false>(q, width, count, KeyPairs{head, (size_t)width * 32}, width, 4, scores, kSpan, ahead);
    else
      multiply<false>(q, width, count, FloatLines{unpack_keys(shape, head, ahead, unpacked), (size_t)width * 16}, width, 4, scores, kSpan,
                      ahead);
  }
}

// Adds the values of pages [first, last), by weights [count][kSpan], to those of partials [count][size].
void multiply_values(const CacheShape& shape, const CacheView& cache, int first, int last, const float* weights, int count, float* unpacked,
                     float* partials, Ahead& ahead) {
  const int tiles = shape.v_width() / 16;
  const size_t size = partial_floats(shape);
  for (int p = first; p < last; p++, weights += kPageTokens) {
    const uint8_t* head = cache.page(p);
    if (as_they_lie(shape, count))
      multiply<true>(weights, kSpan, count, ValuePairs{head + shape.key_bytes(), (size_t)tiles * 1024}, kPageTokens, tiles, partials + 16,
                     size, ahead);
    else
      multiply<true>(weights, kSpan, count, FloatLines{unpack_values(shape, head, ahead, unpacked), kPageTokens * 16}, kPageTokens, tiles,
                     partials + 16, size, ahead);
  }
}

// The larger of a page's two unpacked halves.
size_t page_floats(const CacheShape& shape) {
  return (size_t)kPageTokens * (shape.k_width() > shape.v_width() ? shape.k_width() : shape.v_width());
}

}  // namespace

size_t attend_scratch(const CacheShape& shape) { return (page_floats(shape) + kQueries * kSpan) * 4; }

void attend_span(const CacheShape& shape, const AttentionShape& attention, const CacheView& cache, Seen seen, const float* q,
                 const Seen* each, int count, float* partials, uint8_t* scratch) {
#if defined(__AVX512BF16__)
  if (shape.kind == CacheKind::B16) return attend_span_tiles(shape, attention, cache, seen, q, each, count, partials);
#endif
  const int first = seen.begin / kPageTokens, last = (seen.end + kPageTokens - 1) / kPageTokens;
  const size_t size = partial_floats(shape);
  float *unpacked = (float*)scratch, *scores = unpacked + page_floats(shape);
  Ahead ahead(shape, cache, first, last, steps_of_page(shape, count));
  multiply_keys(shape, cache, first, last, q, count, unpacked, scores, ahead);
  for (int i = 0; i < count; i++) {
    float* partial = partials + i * size;
    softmax(attention, first * kPageTokens, (last - first) * 4, each[i], scores + i * kSpan, partial, partial + 1, ahead);
    memset(partial + 16, 0, (size_t)shape.v_width() * 4);
  }
  multiply_values(shape, cache, first, last, scores, count, unpacked, partials, ahead);
}

void merge_spans(const CacheShape& shape, const float* partials, size_t stride, int spans, const float* sink, float* y) {
  const int v_width = shape.v_width();
  float maximum = sink ? *sink * kLog2E : kMasked;
  for (int s = 0; s < spans; s++) maximum = partials[s * stride] > maximum ? partials[s * stride] : maximum;
  float total = sink ? exp2_one(*sink * kLog2E - maximum) : 0;
  alignas(64) float values[512] = {}, weights[16];
  for (int first = 0; first < spans; first += 16) {
    const float* p = partials + first * stride;
    const int count = spans - first < 16 ? spans - first : 16;
    for (int i = 0; i < 16; i++) weights[i] = i < count ? p[i * stride] : kMasked;
    store(weights, exp2(load(weights) - splat(maximum)));
    for (int i = 0; i < count; i++) total += weights[i] * p[i * stride + 1];
    for (int d = 0; d < v_width; d += 16) {
      Floats sum = load(values + d);
      for (int i = 0; i < count; i++) sum = fma(load(p + i * stride + 16 + d), splat(weights[i]), sum);
      store(values + d, sum);
    }
  }
  const float inverse = 1.0f / total;
  for (int d = 0; d < shape.head_dim; d++) y[d] = values[d] * inverse;
}

void attend_mass(const CacheShape& shape, const AttentionShape& attention, const CacheView& cache, Seen seen, const float* q,
                 const Seen* each, int count, const Merged* merged, float* const* mass, uint8_t* scratch) {
  const int first = seen.begin / kPageTokens, last = (seen.end + kPageTokens - 1) / kPageTokens;
  float *unpacked = (float*)scratch, *scores = unpacked + page_floats(shape);
  Ahead nothing;
  multiply_keys(shape, cache, first, last, q, count, unpacked, scores, nothing);
  for (int i = 0; i < count; i++) {
    float* weights = scores + i * kSpan;
    const Floats maximum = splat(merged[i].maximum), total = splat(merged[i].total);
    for (int t = 0; t < (last - first) * 4; t++)
      store(weights + t * 16, exp2(score_of(attention, load(weights + t * 16)) - maximum) / total);
    const int begin = each[i].begin > seen.begin ? each[i].begin : seen.begin, end = each[i].end < seen.end ? each[i].end : seen.end;
    for (int key = begin; key < end; key++) mass[i][key] += weights[(key / kPageTokens - first) * kPageTokens + slot_of(key % kPageTokens)];
  }
}

}  // namespace longra::LONGRA_ISA
