// Products for prefill on the matrix unit: panels of weights unpacked to bf16.
//
// 2 x 2 accumulators take 32 rows by 32 outputs; the next panel is unpacked, and the last block finished, between tile steps (80 of
// the matrix unit's cycles each). Rows are prefetched from the second-level cache, the panel is fresh enough (prefetched
// too, it cost 5 to 10 %).
#if defined(__AMX_BF16__)

#include "prefill.h"

#include <utility>

#include "tiles.h"
#include "unpack.h"

namespace longra::LONGRA_ISA {

namespace {

template <Format F>
struct UnpackTile {
  static void call(const uint8_t* p, int half, uint16_t* out) { unpack_tile<F>(p, half, out); }
};

// Operands carry kOperandScale, unpacked quantised tiles 2^-112 / kUnit.
float tile_scale(Format f) { return f == Format::B16 ? 1.0f / kOperandScale : 0x1p12f * kUnit; }

struct TileProduct {
  const Product& product;
  Deal& deal;
  const Output& out;
  Runs runs;
  int row_pairs;
  uint16_t* panels;
  float* sums;
  decltype(pick<UnpackTile>(Format::Q4)) unpack[2];
  Floats scale[2];

  explicit TileProduct(const Product& p)
      : product(p),
        deal(p.deal),
        out(p.out),
        runs(p.k()),
        row_pairs((p.out.rows + 31) / 32),
        panels(reinterpret_cast<uint16_t*>(p.scratch)),
        sums(reinterpret_cast<float*>(panels + 2 * (size_t)runs.length * 1024)),
        unpack{pick<UnpackTile>(p.piece.matrix->format), pick<UnpackTile>(p.second().matrix->format)},
        scale{splat(tile_scale(p.piece.matrix->format)), splat(tile_scale(p.second().matrix->format))} {}

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
    s.pair = product.pair(s.index);
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
  configure_tiles([](int) { return 16; });
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
      const uint16_t* a = product.operand + ((size_t)rp * runs.groups + now.run * runs.length) * 1024;
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

}  // namespace

void multiply_operand(const Product& product) {
  TileProduct tiles(product);
  product.out.finish == Finish::Gate ? tiles.run<true>() : tiles.run<false>();
}

}  // namespace longra::LONGRA_ISA

#endif
