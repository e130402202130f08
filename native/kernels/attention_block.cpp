// Prefill attention in bf16, on the matrix unit or on vectors: tiles of 32 rows of one head against blocks of 256 keys at fixed positions.
//
// The heads of a group share each block of keys and values while it is in the second-level cache. Weights are made by
// softmax_weights.h; the maximum of a row that they are relative to moves only when it falls 2^8 behind.
// A row's result depends on its position alone: keys it may not see add exact zeros.
#if defined(__AVX512BF16__)

#include "attention.h"
#include "attention_operands.h"
#include "bf16_products.h"
#include "softmax_weights.h"
#include "tiles.h"

namespace longra::LONGRA_ISA {

namespace {

constexpr int kKeys = 256, kRows = 32, kPages = kKeys / kPageTokens;

// A tile's running state. values: [2 halves of rows][v_width / 16][16][16].
struct State {
  alignas(64) float maximum[kRows];
  float sum[kRows];
};

struct Shape {
  const CacheShape& cache;
  const AttentionShape& attention;
  int halves, v_tiles;
  size_t q_size() const { return (size_t)kRows * halves * 32; }        // bf16
  size_t values_size() const { return (size_t)kRows * v_tiles * 16; }  // floats
};

struct Work {
  alignas(64) float scores[kKeys / 16][kRows][16];
  alignas(64) uint16_t weights[kKeys / 32][kRows][32];
};

#if defined(__AMX_BF16__)

void begin_products() {
  configure_tiles([](int) { return 16; });
}

void end_products() { _tile_release(); }

void scores(const Shape& s, const Operands* pages, int keys, const uint16_t* q, Work& work) {
  const size_t half_rows = (size_t)s.halves * 512;
  const bool resident = s.halves == 2;
  if (resident) {
    _tile_loadd(4, q, 64);
    _tile_loadd(5, q + 512, 64);
    _tile_loadd(6, q + half_rows, 64);
    _tile_loadd(7, q + half_rows + 512, 64);
  }
  for (int g = 0; g < keys / 16; g++) {
    const uint16_t* k = pages[g / 4].keys + (size_t)(g % 4) * s.halves * 512;
    _tile_zero(0);
    _tile_zero(1);
    if (resident) {
      _tile_loadd(2, k, 64);
      _tile_dpbf16ps(0, 4, 2);
      _tile_dpbf16ps(1, 6, 2);
      _tile_loadd(3, k + 512, 64);
      _tile_dpbf16ps(0, 5, 3);
      _tile_dpbf16ps(1, 7, 3);
    } else {
      for (int half = 0; half < s.halves; half++) {
        _tile_loadd(2, k + half * 512, 64);
        _tile_loadd(4, q + half * 512, 64);
        _tile_dpbf16ps(0, 4, 2);
        _tile_loadd(6, q + half_rows + half * 512, 64);
        _tile_dpbf16ps(1, 6, 2);
      }
    }
    _tile_stored(0, work.scores[g][0], 64);
    _tile_stored(1, work.scores[g][16], 64);
  }
}

void weighted_values(const Shape& s, const Operands* pages, int keys, float* values, const Work& work) {
  float* upper = values + (size_t)s.v_tiles * 256;
  for (int d = 0; d < s.v_tiles; d += 2) {
    const bool two = d + 1 < s.v_tiles;
    _tile_loadd(0, values + d * 256, 64);
    _tile_loadd(2, upper + d * 256, 64);
    if (two) {
      _tile_loadd(1, values + d * 256 + 256, 64);
      _tile_loadd(3, upper + d * 256 + 256, 64);
    }
    for (int g = 0; g < keys / 32; g++) {
      const uint16_t* v = pages[g / 2].values + ((g % 2) * s.v_tiles + d) * 512;
      _tile_loadd(4, work.weights[g][0], 64);
      _tile_loadd(5, work.weights[g][16], 64);
      _tile_loadd(6, v, 64);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(2, 5, 6);
      if (two) {
        _tile_loadd(7, v + 512, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(3, 5, 7);
      }
    }
    _tile_stored(0, values + d * 256, 64);
    _tile_stored(2, upper + d * 256, 64);
    if (two) {
      _tile_stored(1, values + d * 256 + 256, 64);
      _tile_stored(3, upper + d * 256 + 256, 64);
    }
  }
}

#else

void begin_products() {}
void end_products() {}

constexpr int kAtOnce = 8;  // rows, by two tiles: sixteen sums hide an instruction's six cycles

void scores(const Shape& s, const Operands* pages, int keys, const uint16_t* q, Work& work) {
  const size_t tile = (size_t)s.halves * 512;
  for (int g = 0; g < keys / 16; g += 2) {
    const uint16_t* k = pages[g / 4].keys + (g % 4) * tile;
    for (int r = 0; r < kRows; r += kAtOnce)
      multiply_pairs<kAtOnce, 2, false>(
          {q + (r / 16 * tile) + r % 16 * 32, 512}, s.halves, [&](int half, int t) { return k + t * tile + half * 512; }, work.scores[g][r],
          16, kRows * 16);
  }
}

template <int T>
void weighted_tiles(const Shape& s, const Operands* pages, int keys, int d, float* values, const Work& work) {
  for (int r = 0; r < kRows; r += kAtOnce)
    multiply_pairs<kAtOnce, T, true>(
        {work.weights[0][r], kRows * 32}, keys / 32,
        [&](int g, int t) { return pages[g / 2].values + ((g % 2) * s.v_tiles + d + t) * 512; },
        values + (r / 16 * s.v_tiles + d) * 256 + r % 16 * 16, 16, 256);
}

void weighted_values(const Shape& s, const Operands* pages, int keys, float* values, const Work& work) {
  int d = 0;
  for (; d + 2 <= s.v_tiles; d += 2) weighted_tiles<2>(s, pages, keys, d, values, work);
  if (d < s.v_tiles) weighted_tiles<1>(s, pages, keys, d, values, work);
}

#endif

// Softcap and masks, which most blocks do not need.
void mask(const Shape& s, int from, int keys, int first_position, int last_position, bool before_window, Work& work) {
  const int first = before_window || first_position < from ? 0 : (first_position - from) / 32 * 2;  // every row sees the keys before
  for (int r = 0; r < kRows; r++) {
    const int position = first_position + r < last_position ? first_position + r : last_position;
    const int begin = s.attention.window && position - s.attention.window + 1 > 0 ? position - s.attention.window + 1 : 0;
    for (int t = first; t < keys / 16; t++) {
      const Ints at = tile_positions(from, t);
      Floats v = load(work.scores[t][r]);
      v = select_below(at, position + 1, v, splat(kMasked));
      store(work.scores[t][r], select_below(at, begin, splat(kMasked), v));
    }
  }
}

void cap(const Shape& s, int keys, Work& work) {
  const Floats back = splat(1.0f / (s.attention.scale * kLog2E));
  for (int t = 0; t < keys / 16; t++)
    for (int r = 0; r < kRows; r++) store(work.scores[t][r], score_of(s.attention, load(work.scores[t][r])) * back);
}

void softmax(const Shape& s, int keys, State& state, float* values, Work& work) {
  const int pairs = keys / 32;
  const float scale = s.attention.scale * kLog2E;
  for (int r = 0; r < kRows; r++) {
    Floats a = load(work.scores[0][r]), b = load(work.scores[1][r]);
    for (int g = 1; g < pairs; g++) {
      a = max(a, load(work.scores[2 * g][r]));
      b = max(b, load(work.scores[2 * g + 1][r]));
    }
    const float top = largest(max(a, b));
    if (top <= kMasked / 2) {  // nothing of this block is seen
      for (int g = 0; g < pairs; g++) _mm512_store_si512(work.weights[g][r], _mm512_setzero_si512());
      continue;
    }
    if (top * scale > state.maximum[r] + 8.0f) {
      if (state.sum[r] > 0) {  // else there are no values yet
        const float keep = exp2_one(state.maximum[r] - top * scale);
        state.sum[r] *= keep;
        for (int d = 0; d < s.v_tiles; d++) {
          float* v = values + ((r / 16) * s.v_tiles + d) * 256 + r % 16 * 16;
          store(v, load(v) * splat(keep));
        }
      }
      state.maximum[r] = top * scale;
    }
    const WeightsBelow weights(scale, state.maximum[r]);
    Floats total = zero();
    for (int g = 0; g < pairs; g++)
      _mm512_store_si512(work.weights[g][r],
                         WeightsBelow::of(weights, load(work.scores[2 * g][r]), load(work.scores[2 * g + 1][r]), total));
    state.sum[r] += sum(total);
  }
}

// The first `count` of sixteen numbers, or all; the others are zero, or left alone.
Floats load_some(const float* p, int count) {
  if (count >= 16) return load(p);
  float lanes[16] = {};
  for (int i = 0; i < count; i++) lanes[i] = p[i];
  return load(lanes);
}
void store_some(float* p, int count, Floats x) {
  if (count >= 16) return store(p, x);
  float lanes[16];
  store(lanes, x);
  for (int i = 0; i < count; i++) p[i] = lanes[i];
}

struct Tile {
  int head, row, rows;  // query head of the group; first row; rows that exist
  int begin, end;       // keys that some row sees
};

Tile tile_at(const AttentionShape& attention, int start, int rows, int i) {
  const int blocks = (rows + kRows - 1) / kRows;
  Tile t;
  t.head = i / blocks;
  t.row = i % blocks * kRows;
  t.rows = rows - t.row < kRows ? rows - t.row : kRows;
  t.begin = attention.window && start + t.row - attention.window + 1 > 0 ? start + t.row - attention.window + 1 : 0;
  t.end = start + t.row + t.rows;
  return t;
}

size_t aligned(size_t n) { return (n + 63) / 64 * 64; }

}  // namespace

size_t attend_block_scratch(const CacheShape& cache, int tiles) {
  const size_t q = (size_t)kRows * cache.k_width() * 2, values = (size_t)kRows * cache.v_width() * 4;
  const size_t operands = operand_floats(cache) * 4 + kPages * operand_numbers(cache) * 2;
  return aligned(sizeof(Work)) + operands + tiles * (aligned(sizeof(State)) + q + values);
}

void attend_block(const CacheShape& cache_shape, const AttentionShape& attention, const CacheView& cache, int start, int rows,
                  const float* q, size_t q_stride, float* y, size_t y_stride, int first, int step, uint8_t* scratch) {
  const Shape s{cache_shape, attention, cache_shape.k_width() / 32, cache_shape.v_width() / 16};
  const int tiles = attention.group() * ((rows + kRows - 1) / kRows);
  const int dim = cache_shape.head_dim;
  Work& work = *reinterpret_cast<Work*>(scratch);
  float* floats = reinterpret_cast<float*>(scratch + aligned(sizeof(Work)));
  uint16_t* numbers = reinterpret_cast<uint16_t*>(floats + operand_floats(cache_shape));
  uint8_t* states = reinterpret_cast<uint8_t*>(numbers + kPages * operand_numbers(cache_shape));
  const size_t state_size = aligned(sizeof(State)) + s.q_size() * 2 + s.values_size() * 4;
  begin_products();

  int key_begin = start + rows, key_end = 0;
  for (int i = first; i < tiles; i += step) {
    const Tile t = tile_at(attention, start, rows, i);
    uint8_t* p = states + (i - first) / step * state_size;
    State& state = *reinterpret_cast<State*>(p);
    uint16_t* packed = reinterpret_cast<uint16_t*>(p + aligned(sizeof(State)));
    memset(packed + s.q_size(), 0, s.values_size() * 4);
    for (int r = 0; r < kRows; r++) {
      state.maximum[r] = attention.sinks ? attention.sinks[t.head] * kLog2E : kMasked;
      state.sum[r] = attention.sinks ? 1 : 0;
      for (int half = 0; half < s.halves; half++) {
        const int numbers = r < t.rows ? dim - half * 32 : 0;
        const float* from = q + (t.row + r) * q_stride + t.head * dim + half * 32;
        _mm512_store_si512(packed + (size_t)(r / 16) * s.halves * 512 + half * 512 + r % 16 * 32,
                           (__m512i)_mm512_cvtne2ps_pbh(load_some(from + 16, numbers - 16).v, load_some(from, numbers).v));
      }
    }
    if (t.begin < key_begin) key_begin = t.begin;
    if (t.end > key_end) key_end = t.end;
  }
  for (int from = key_begin / kKeys * kKeys; from < key_end; from += kKeys) {
    Operands pages[kPages];
    for (int p = 0; p < kPages && from + p * kPageTokens < key_end; p++)
      pages[p] = page_operands(cache_shape, cache.page(from / kPageTokens + p), floats, numbers + p * operand_numbers(cache_shape));
    for (int i = first; i < tiles; i += step) {
      const Tile t = tile_at(attention, start, rows, i);
      if (from >= t.end || from + kKeys <= t.begin) continue;
      uint8_t* p = states + (i - first) / step * state_size;
      State& state = *reinterpret_cast<State*>(p);
      const uint16_t* packed = reinterpret_cast<const uint16_t*>(p + aligned(sizeof(State)));
      float* values = reinterpret_cast<float*>(p + aligned(sizeof(State)) + s.q_size() * 2);
      const int keys = t.end - from < kKeys ? (t.end - from + 31) / 32 * 32 : kKeys;
      const int first_position = start + t.row, last_position = t.end - 1;
      scores(s, pages, keys, packed, work);
      if (attention.softcap != 0) cap(s, keys, work);
      const bool before_window = attention.window && from < last_position - attention.window + 1;
      if (from + keys - 1 > first_position || before_window) mask(s, from, keys, first_position, last_position, before_window, work);
      softmax(s, keys, state, values, work);
      weighted_values(s, pages, keys, values, work);
    }
  }
  for (int i = first; i < tiles; i += step) {
    const Tile t = tile_at(attention, start, rows, i);
    const uint8_t* p = states + (i - first) / step * state_size;
    const State& state = *reinterpret_cast<const State*>(p);
    const float* values = reinterpret_cast<const float*>(p + aligned(sizeof(State)) + s.q_size() * 2);
    for (int r = 0; r < t.rows; r++) {
      const Floats inverse = splat(1.0f / state.sum[r]);
      float* out = y + (t.row + r) * y_stride + t.head * dim;
      for (int d = 0; d < dim; d += 16)
        store_some(out + d, dim - d, load(values + ((r / 16) * s.v_tiles + d / 16) * 256 + r % 16 * 16) * inverse);
    }
  }
  end_products();
}

}  // namespace longra::LONGRA_ISA

#endif
