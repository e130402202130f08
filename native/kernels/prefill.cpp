// Products for prefill: many rows share each unpacked panel of weights.
//
// A panel is a pair of row blocks (32 outputs) by a run of k. With tiles, 2 x 2 accumulators take 32 rows by 32 outputs; the
// next panel is unpacked, and the last block finished, between tile steps (80 of the matrix unit's cycles each). Runs of
// about 40 groups of 32 k keep panel and rows in the second-level cache; rows are prefetched from it, the panel is fresh
// enough (prefetched too, it cost 5 to 10 %). Vectors of bf16 pairs take bf16 weights as they lie; the panel is
// float lines elsewhere.
// A row's sums run over k in order, in runs that depend on k alone.
#include <utility>

#include "../runtime/kernels.h"
#include "../runtime/share.h"
#include "activation.h"
#include "bf16_products.h"
#include "simd.h"
#include "unpack.h"

namespace longra::LONGRA_ISA {

namespace {

constexpr int kRunGroups = 40;

struct Runs {
  int groups, count, length;  // groups of 32 k; runs; groups of a run
  explicit Runs(int k) : groups(k / 32), count((groups + kRunGroups - 1) / kRunGroups), length((groups + count - 1) / count) {}
};

// The two row blocks of pair i and where their sixteen columns go.
struct Pair {
  const uint8_t* block[2];
  size_t stride[2];  // bytes of a superblock
  const float* bias[2];
  int column[2];
  bool second;  // false: an odd last block, computed twice and stored once
};

Pair pair_of(const Piece& piece, const Piece* gate_with, int i) {
  Pair p;
  const Piece* of[2] = {&piece, gate_with ? gate_with : &piece};
  int block[2] = {gate_with ? i : 2 * i, gate_with ? i : 2 * i + 1};
  p.second = block[1] < of[1]->matrix->row_blocks();
  if (!p.second) block[1] = block[0];
  for (int h = 0; h < 2; h++) {
    const Matrix& m = *of[h]->matrix;
    p.block[h] = m.data + block[h] * m.block_bytes();
    p.stride[h] = superblock_bytes(m.format);
    p.bias[h] = of[h]->bias ? of[h]->bias + block[h] * kBlockRows : nullptr;
    p.column[h] = of[h]->column + block[h] * kBlockRows;
  }
  return p;
}

struct Output {
  float* y;
  size_t y_stride;
  uint16_t* operand;
  int operand_groups, rows;
  Finish finish;
  Activate kind;
};

constexpr float kOperandScale = 0x1p100f;

// Sixteen columns of an operand row, times kOperandScale, as bf16.
LONGRA_INLINE void store_operand(const Output& out, int row, int column, Floats scaled) {
  uint16_t* tile = out.operand + (((size_t)(row / 32) * out.operand_groups + column / 32) * 2 + row % 32 / 16) * 512;
  uint16_t* at = tile + row % 16 * 32 + column % 32;
#if defined(__AVX512BF16__)
  _mm256_storeu_si256((__m256i*)at, (__m256i)_mm512_cvtneps_pbh(scaled.v));
#else
  float lanes[16];
  store(lanes, scaled);
  for (int i = 0; i < 16; i++) at[i] = float_to_bf16(lanes[i]);
#endif
}

// One row of a finished block: the sums of the pair's sixteen outputs each are a * scale[0] and b * scale[1].
template <bool GATE>
LONGRA_INLINE void finish_row(const Output& out, const Pair& pair, int pair_index, int row, Floats a, Floats b, const Floats (&scale)[2]) {
  float* y = out.y + row * out.y_stride;
  if constexpr (GATE) {  // no model has biases here
    const Floats gate = a * scale[0];
    store_operand(out, row, pair_index * kBlockRows, activated_briefly(out.kind, gate) * (b * (scale[1] * splat(kOperandScale))));
    return;
  }
  a = a * scale[0];
  b = b * scale[1];
  if (pair.bias[0]) a = a + load(pair.bias[0]);
  if (pair.bias[1]) b = b + load(pair.bias[1]);
  if (out.finish == Finish::Activate) {
    store_operand(out, row, pair.column[0], activated_briefly(out.kind, a) * splat(kOperandScale));
    if (pair.second) store_operand(out, row, pair.column[1], activated_briefly(out.kind, b) * splat(kOperandScale));
    return;
  }
  if (out.finish == Finish::Add) {
    a = load(y + pair.column[0]) + a;
    if (pair.second) b = load(y + pair.column[1]) + b;
  }
  store(y + pair.column[0], a);
  if (pair.second) store(y + pair.column[1], b);
}

#if defined(__AMX_BF16__)

struct alignas(64) TileConfig {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

template <Format F>
struct UnpackTile {
  static void call(const uint8_t* p, int half, uint16_t* out) { unpack_tile<F>(p, half, out); }
};

// Operands carry kOperandScale, unpacked quantised tiles 2^-112 / kUnit.
float tile_scale(Format f) { return f == Format::B16 ? 1.0f / kOperandScale : 0x1p12f * kUnit; }

struct TileProduct {
  const Piece& piece;
  const Piece* gate_with;
  Deal& deal;
  const uint16_t* operand;
  Output out;
  Runs runs;
  int row_pairs;
  uint16_t* panels;
  float* sums;
  decltype(pick<UnpackTile>(Format::Q4)) unpack[2];
  Floats scale[2];

  // A run of a pair.
  struct Stage {
    Pair pair;
    int index, run;
    int groups(const Runs& runs) const {
      const int left = runs.groups - run * runs.length;
      return left < runs.length ? left : runs.length;
    }
  };
  // One run: pairs as they are dealt. Several: all own pairs for each run, whose rows stay in the second-level cache.
  bool next(Stage& s) {
    if (runs.count == 1) {
      s.index = deal.next();
      if (s.index < 0) return false;
    } else {
      const Share own = deal.own();
      if (own.begin == own.end) return false;
      if (++s.index >= own.end) {
        s.index = own.begin;
        if (++s.run == runs.count) return false;
      }
    }
    s.pair = pair_of(piece, gate_with, s.index);
    return true;
  }
  LONGRA_INLINE void produce(const TileProduct& t, const Stage& s, uint16_t* panel, int i) {
    const int group = s.run * t.runs.length + i / 2, half = i % 2;
    const uint8_t* p = s.pair.block[half] + (group / 2) * s.pair.stride[half];
    if (group % 2)
      for (size_t line = 0; line < s.pair.stride[half]; line += 64) prefetch(p + 8192 + line);
    t.unpack[half](p, group % 2, panel + i * 512);
  }
  template <bool GATE>
  LONGRA_INLINE void finish(const TileProduct& t, const Stage& s, const float* c, int row_pair, int r) {
    const int row = row_pair * 32 + r;
    if (row >= t.out.rows) return;
    const float* q = c + r / 16 * 512 + r % 16 * 16;
    finish_row<GATE>(t.out, s.pair, s.index, row, load(q), load(q + 256), t.scale);
  }
  template <bool GATE>
  void run();
};

template <bool GATE>
void TileProduct::run() {
  Stage now{{}, deal.own().begin - 1, 0};
  if (!next(now)) return;
  const size_t panel_size = (size_t)runs.length * 1024, sums_size = runs.count > 1 ? (size_t)row_pairs * 1024 : 0;
  TileConfig config;
  for (int i = 0; i < 8; i++) config.row_bytes[i] = 64, config.rows[i] = 16;
  _tile_loadconfig(&config);
  uint16_t *panel = panels, *next_panel = panels + panel_size;
  for (int i = 0; i < 2 * now.groups(runs); i++) produce(*this, now, panel, i);
  for (bool more = true; more;) {
    Stage after = now;
    more = next(after);
    const bool first = now.run == 0, last = now.run == runs.count - 1;
    const int groups = now.groups(runs), to_produce = more ? 2 * after.groups(runs) : 0, steps = row_pairs * groups;
    int produced = 0, owed = 0;
    float* c0 = sums + (runs.count > 1 ? now.index - deal.own().begin : 0) * sums_size;
    const int rows_a_step = (32 + groups - 1) / groups;
    for (int rp = 0; rp < row_pairs; rp++) {
      float* c = c0 + (size_t)rp * 1024;
      if (first) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
      } else {
        _tile_loadd(0, c, 64);
        _tile_loadd(1, c + 256, 64);
        _tile_loadd(2, c + 512, 64);
        _tile_loadd(3, c + 768, 64);
      }
      const uint16_t* a = operand + ((size_t)rp * runs.groups + now.run * runs.length) * 1024;
      const uint16_t* b = panel;
      int finished = last && rp ? 0 : 32;
      for (int g = 0; g < groups; g++, a += 1024, b += 1024) {
        _tile_loadd(4, a, 64);
        _tile_loadd(6, b, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, b + 512, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, a + 512, 64);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
#pragma GCC unroll 32
        for (int line = 0; line < 32; line++) prefetch((const char*)a + 4096 + line * 64);  // two steps ahead
        owed += to_produce;
        if (owed >= steps) {
          owed -= steps;
          if (produced < to_produce) produce(*this, after, next_panel, produced++);
        }
        for (int e = finished + rows_a_step < 32 ? finished + rows_a_step : 32; finished < e; finished++)
          finish<GATE>(*this, now, c - 1024, rp - 1, finished);
      }
      _tile_stored(0, c, 64);
      _tile_stored(1, c + 256, 64);
      _tile_stored(2, c + 512, 64);
      _tile_stored(3, c + 768, 64);
    }
    if (last)
      for (int r = 0; r < 32; r++) finish<GATE>(*this, now, c0 + (size_t)(row_pairs - 1) * 1024, row_pairs - 1, r);
    while (produced < to_produce) produce(*this, after, next_panel, produced++);
    std::swap(panel, next_panel);
    now = after;
  }
  _tile_release();
}

#elif defined(__AVX512BF16__)

// bf16 weights: a superblock's halves are tiles already.
template <bool GATE>
void pair_product(const Piece& piece, const Piece* gate_with, Deal& deal, const uint16_t* operand, int k, const Output& out, float* sums) {
  constexpr int kRun = 8;  // groups of 32 k: 16 KB of weights stay in the first-level cache for all rows
  const int groups = k / 32, rows = (out.rows + 31) / 32 * 32;
  const Floats unscaled = splat(1.0f / kOperandScale), scale[2] = {unscaled, unscaled};
  for (int i; (i = deal.next()) >= 0;) {
    const Pair pair = pair_of(piece, gate_with, i);
    for (int first = 0; first < groups; first += kRun) {
      const int run = groups - first < kRun ? groups - first : kRun;
      auto weights = [&](int g, int t) {
        return (const uint16_t*)(pair.block[t] + (first + g) / 2 * pair.stride[t] + (first + g) % 2 * 1024);
      };
      for (int row = 0; row < rows; row += 8) {
        const PairRows x{operand + (((size_t)(row / 32) * groups + first) * 2 + row % 32 / 16) * 512 + row % 16 * 32, 1024};
        if (first == 0)
          multiply_pairs<8, 2, false>(x, run, weights, sums + row * 32, 32, 16);
        else
          multiply_pairs<8, 2, true>(x, run, weights, sums + row * 32, 32, 16);
      }
    }
    for (int row = 0; row < out.rows; row++) finish_row<GATE>(out, pair, i, row, load(sums + row * 32), load(sums + row * 32 + 16), scale);
  }
}

#endif

// Rows by pair at once, so that accumulators fill the registers (two Floats each; AVX2 has eight of them).
#if defined(__AVX512F__)
constexpr int kTokens = 8;
#elif defined(__AVX2__)
constexpr int kTokens = 3;
#else
constexpr int kTokens = 4;
#endif

template <int T>
LONGRA_INLINE void float_block(const float* a, const float* b, const float* x, size_t x_stride, int k, float* c, bool first) {
  Floats s[T][2];
  for (int t = 0; t < T; t++)
    for (int h = 0; h < 2; h++) s[t][h] = first ? zero() : load(c + t * 32 + h * 16);
  for (int i = 0; i < k; i++) {
    const Floats wa = load(a + i * 16), wb = load(b + i * 16);
    for (int t = 0; t < T; t++) {
      const Floats v = splat(x[t * x_stride + i]);
      s[t][0] = fma(wa, v, s[t][0]);
      s[t][1] = fma(wb, v, s[t][1]);
    }
  }
  for (int t = 0; t < T; t++)
    for (int h = 0; h < 2; h++) store(c + t * 32 + h * 16, s[t][h]);
}

template <bool GATE>
void float_product(const Piece& piece, const Piece* gate_with, Deal& deal, const float* x, size_t x_stride, int k, const Output& out,
                   float* scratch) {
  const Runs runs(k);
  const decltype(pick<UnpackFloats>(Format::Q4)) unpack[2] = {pick<UnpackFloats>(piece.matrix->format),
                                                              pick<UnpackFloats>((gate_with ? gate_with : &piece)->matrix->format)};
  const size_t panel_size = (size_t)runs.length * 512;
  float* sums = scratch + 2 * panel_size;
  const Floats scale[2] = {splat(1.0f), splat(1.0f)};
  for (int i; (i = deal.next()) >= 0;) {
    const Pair pair = pair_of(piece, gate_with, i);
    for (int run = 0; run < runs.count; run++) {
      const int first_group = run * runs.length;
      const int groups = runs.groups - first_group < runs.length ? runs.groups - first_group : runs.length;
      for (int h = 0; h < 2; h++)
        for (int g = 0; g < groups; g++)
          unpack[h](pair.block[h] + (first_group + g) / 2 * pair.stride[h], (first_group + g) % 2, scratch + h * panel_size + g * 512);
      const float* xs = x + first_group * 32;
      int row = 0;
      for (; row + kTokens <= out.rows; row += kTokens)
        float_block<kTokens>(scratch, scratch + panel_size, xs + row * x_stride, x_stride, groups * 32, sums + row * 32, run == 0);
      for (; row < out.rows; row++)
        float_block<1>(scratch, scratch + panel_size, xs + row * x_stride, x_stride, groups * 32, sums + row * 32, run == 0);
    }
    for (int row = 0; row < out.rows; row++) finish_row<GATE>(out, pair, i, row, load(sums + row * 32), load(sums + row * 32 + 16), scale);
  }
}

}  // namespace

template <bool GATE>
static void product(const Piece& piece, const Piece* gate_with, Deal& deal, const uint16_t* operand, const float* x, size_t x_stride,
                    const Output& out, uint8_t* scratch) {
  const int k = piece.matrix->input_blocks() * kBlockInputs;
#if defined(__AMX_BF16__)
  if (operand) {
    const Runs runs(k);
    const Format formats[2] = {piece.matrix->format, (gate_with ? gate_with : &piece)->matrix->format};
    uint16_t* panels = reinterpret_cast<uint16_t*>(scratch);
    TileProduct product{piece,
                        gate_with,
                        deal,
                        operand,
                        out,
                        runs,
                        (out.rows + 31) / 32,
                        panels,
                        reinterpret_cast<float*>(panels + 2 * (size_t)runs.length * 1024),
                        {pick<UnpackTile>(formats[0]), pick<UnpackTile>(formats[1])},
                        {splat(tile_scale(formats[0])), splat(tile_scale(formats[1]))}};
    return product.run<GATE>();
  }
#elif defined(__AVX512BF16__)
  if (operand) return pair_product<GATE>(piece, gate_with, deal, operand, k, out, reinterpret_cast<float*>(scratch));
#endif
  (void)operand;
  float_product<GATE>(piece, gate_with, deal, x, x_stride, k, out, reinterpret_cast<float*>(scratch));
}

void prefill(const Piece& piece, const Piece* gate_with, Deal& deal, const uint16_t* operand, const float* x, size_t x_stride, int rows,
             float* y, size_t y_stride, uint16_t* out_operand, int out_k, Finish finish, Activate kind, uint8_t* scratch) {
  const Output out{y, y_stride, out_operand, out_k / 32, rows, finish, kind};
  if (finish == Finish::Gate)
    product<true>(piece, gate_with, deal, operand, x, x_stride, out, scratch);
  else
    product<false>(piece, gate_with, deal, operand, x, x_stride, out, scratch);
}

bool takes_operand(Format format) {
#if defined(__AMX_BF16__)
  return format != Format::F32;
#elif defined(__AVX512BF16__)
  return format == Format::B16;  // integers multiply the quantised ones twice as fast
#else
  (void)format;
  return false;
#endif
}

// Bytes that `prefill` needs for `pairs` pairs of a matrix of k inputs and `rows` rows.
size_t prefill_scratch(int k, int pairs, int rows) {
  const Runs runs(k);
  const size_t row_pairs = (rows + 31) / 32;
  const size_t tiles = (size_t)runs.length * 4096 + (runs.count > 1 ? pairs : 1) * row_pairs * 4096;
  const size_t floats = (size_t)runs.length * 4096 + row_pairs * 4096;
  return (tiles > floats ? tiles : floats) + 16384;
}

// 32 rows as bf16 tiles [k / 32][2][16][32]; rows beyond `rows` are zero.
void pack_operand(const float* x, size_t x_stride, int k, int rows, uint16_t* operand) {
  const Output out{nullptr, 0, operand, k / 32, 32, Finish::Store, Activate::Silu};
  for (int r = 0; r < 32; r++)
    for (int i = 0; i < k; i += 16) store_operand(out, r, i, r < rows ? load(x + r * x_stride + i) * splat(kOperandScale) : zero());
}

}  // namespace longra::LONGRA_ISA
