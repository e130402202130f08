// Attention of any number of queries on plain vectors: decode, drafts and prefill alike, so that their bits agree.
//
// One pass over a span of 512 keys serves up to 48 queries (heads of a group, rows of a chunk). Pages are unpacked to float32
// one by one into the first-level cache; both halves, scores and weighted values, are then small matrix products bound by
// multiply-adds. A span is short enough to keep its scores, so its maximum is known before its exponentials. Each of a query's
// sums runs over keys in one order, and keys that it may not see add exact zeros: its bits depend on its position alone.
#include "attention.h"

#include "cache.h"

namespace longra::LONGRA_ISA {

namespace {

#if defined(__AVX512F__)
constexpr int kRegisters = 1;  // of Floats
#else
constexpr int kRegisters = 2;
#endif
constexpr int kRows = 6;  // of one tile of sums: with 16 columns, 12 of AVX2's 16 registers

// Tiles of columns at once: a processor needs eight sums in flight to start two multiply-adds a cycle.
constexpr int columns_at_once(int rows) { return rows * kRegisters >= 8 ? 1 : rows * kRegisters >= 4 ? 2 : 4; }

// c [H][16 T] = or += a [H][depth] by b [T][depth][16].
template <int H, int T, bool ADD>
LONGRA_INLINE void multiply_tile(const float* a, size_t a_stride, const float* b, int depth, size_t b_stride, float* c, size_t c_stride) {
  Floats s[H][T];
  for (int h = 0; h < H; h++)
    for (int t = 0; t < T; t++) s[h][t] = ADD ? load(c + h * c_stride + t * 16) : zero();
  for (int d = 0; d < depth; d++) {
    Floats x[T];
    for (int t = 0; t < T; t++) x[t] = load(b + t * b_stride + d * 16);
    for (int h = 0; h < H; h++) {
      const Floats y = splat(a[h * a_stride + d]);
      for (int t = 0; t < T; t++) s[h][t] = fma(x[t], y, s[h][t]);
    }
  }
  for (int h = 0; h < H; h++)
    for (int t = 0; t < T; t++) store(c + h * c_stride + t * 16, s[h][t]);
}

template <int H, bool ADD>
void multiply_rows(const float* a, size_t a_stride, const float* b, int depth, size_t b_stride, int tiles, float* c, size_t c_stride) {
  constexpr int T = columns_at_once(H);
  int t = 0;
  for (; t + T <= tiles; t += T) multiply_tile<H, T, ADD>(a, a_stride, b + t * b_stride, depth, b_stride, c + t * 16, c_stride);
  for (; t < tiles; t++) multiply_tile<H, 1, ADD>(a, a_stride, b + t * b_stride, depth, b_stride, c + t * 16, c_stride);
}

// c [rows][16 tiles] = or += a [rows][depth] by b [tiles][depth][16], in runs of up to six rows, as equal as they go.
template <bool ADD>
void multiply(const float* a, size_t a_stride, int rows, const float* b, int depth, size_t b_stride, int tiles, float* c, size_t c_stride) {
  constexpr decltype(&multiply_rows<1, ADD>) of[kRows] = {multiply_rows<1, ADD>, multiply_rows<2, ADD>, multiply_rows<3, ADD>,
                                                          multiply_rows<4, ADD>, multiply_rows<5, ADD>, multiply_rows<6, ADD>};
  const int runs = (rows + kRows - 1) / kRows;
  for (int i = 0; i < runs; i++) {
    const int begin = rows * i / runs, end = rows * (i + 1) / runs;
    of[end - begin - 1](a + begin * a_stride, a_stride, b, depth, b_stride, tiles, c + begin * c_stride, c_stride);
  }
}

// Dots with keys from `from` become weights 2^(score - maximum), zero where the query does not see; returns maximum and sum.
void softmax(const AttentionShape& attention, int from, int tiles, Seen seen, float* scores, float* maximum, float* total) {
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
  }
  *total = sum(weights);
}

// Products of queries with the keys of pages [first, last): scores [count][kSpan].
void multiply_keys(const CacheShape& shape, const CacheView& cache, int first, int last, const float* q, int count, float* unpacked,
                   float* scores) {
  const int width = shape.k_width();
  for (int p = first; p < last; p++) {
    const uint8_t* next = p + 1 < last ? cache.page(p + 1) : cache.page(first) + shape.key_bytes();
    const float* keys = unpack_keys(shape, cache.page(p), next, unpacked);
    multiply<false>(q, width, count, keys, width, width * 16, 4, scores + (p - first) * kPageTokens, kSpan);
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
  const int v_width = shape.v_width(), first = seen.begin / kPageTokens, last = (seen.end + kPageTokens - 1) / kPageTokens;
  const size_t size = partial_floats(shape);
  float *unpacked = (float*)scratch, *scores = unpacked + page_floats(shape);
  multiply_keys(shape, cache, first, last, q, count, unpacked, scores);
  for (int i = 0; i < count; i++) {
    float* partial = partials + i * size;
    softmax(attention, first * kPageTokens, (last - first) * 4, each[i], scores + i * kSpan, partial, partial + 1);
    memset(partial + 16, 0, (size_t)v_width * 4);
  }
  for (int p = first; p < last; p++) {
    const uint8_t* next = p + 1 < last ? cache.page(p + 1) + shape.key_bytes() : cache.page(last < cache.count ? last : first);
    const float* values = unpack_values(shape, cache.page(p), next, unpacked);
    multiply<true>(scores + (p - first) * kPageTokens, kSpan, count, values, kPageTokens, kPageTokens * 16, v_width / 16, partials + 16,
                   size);
  }
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
  multiply_keys(shape, cache, first, last, q, count, unpacked, scores);
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
