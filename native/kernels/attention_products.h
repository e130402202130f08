// Attention's two products on plain vectors, queries by keys and weights by values: sums of up to six rows by some tiles of sixteen
// columns in registers, and the cache read ahead between their steps.
//
// Columns are float32 lines, or pairs of bf16 as they lie in a page: for few rows that is less than unpacking the page first. Either
// way a sum runs over the same numbers in the same order.
#pragma once
#include "read_ahead.h"
#include "simd.h"

namespace longra::LONGRA_ISA {

constexpr int kPairsAStep = 4;   // of depth, between two steps of reading ahead
constexpr int kProductRows = 6;  // of one tile of sums: with 16 columns, 12 of AVX2's 16 registers
#if defined(__AVX512F__)
constexpr int kRegisters = 1, kMostSums = 16;  // registers of Floats, and for sums
#else
constexpr int kRegisters = 2, kMostSums = 12;
#endif

// Sixteen columns at an even or odd depth of a step. tile: from a tile of columns to the next.
struct FloatLines {
  static constexpr int kMost = kMostSums;
  const float* data;
  size_t tile;
  FloatLines at(int t, int pair) const { return {data + t * tile + pair * 32, tile}; }
  Floats even(int t, int i) const { return load(data + t * tile + i * 32); }
  Floats odd(int t, int i) const { return load(data + t * tile + i * 32 + 16); }
};
struct KeyPairs {
  static constexpr int kMost = kMostSums - 2;  // lines and their halves take registers
  const uint8_t* data;
  size_t tile;
  KeyPairs at(int t, int pair) const { return {data + t * tile + pair * 64, tile}; }
  Floats even(int t, int i) const { return low_bf16(load_line(data + t * tile + i * 64)); }
  Floats odd(int t, int i) const { return high_bf16(load_line(data + t * tile + i * 64)); }
};
struct ValuePairs {  // in the order of slots: those of a step are tokens 0-3 and 8-11 of a tile
  static constexpr int kMost = kMostSums - 2;
  const uint8_t* data;
  size_t half;  // from 32 tokens to the next
  ValuePairs at(int t, int pair) const { return {data + t * 1024 + pair / 16 * half + token_of(pair % 16 * 2) * 32, half}; }
  const uint8_t* line(int t, int i) const { return data + t * 1024 + token_of(i * 2) * 32; }
  Floats even(int t, int i) const { return low_bf16(load_line(line(t, i))); }
  Floats odd(int t, int i) const { return high_bf16(load_line(line(t, i))); }
};

// Tiles at once: a processor needs eight sums in flight to start two multiply-adds a cycle.
constexpr int tiles_at_once(int rows, int most) {
  int tiles = 1;
  while (tiles < 4 && tiles * rows * kRegisters < 8 && 2 * tiles * rows * kRegisters <= most) tiles *= 2;
  return tiles;
}

// c [H][16 T] = or += a [H][depth] by b [depth][16 T].
template <int H, int T, bool ADD, class B>
LONGRA_INLINE void multiply_tile(const float* a, size_t a_stride, const B& b, int depth, float* c, size_t c_stride, Ahead& ahead) {
  Floats s[H][T];
  for (int h = 0; h < H; h++)
    for (int t = 0; t < T; t++) s[h][t] = ADD ? load(c + h * c_stride + t * 16) : zero();
  auto add = [&](const Floats(&x)[T], const float* y) {
    for (int h = 0; h < H; h++) {
      const Floats same = splat(y[h * a_stride]);
      for (int t = 0; t < T; t++) s[h][t] = fma(x[t], same, s[h][t]);
    }
  };
  for (int pair = 0; pair < depth / 2; pair += kPairsAStep, a += 2 * kPairsAStep) {
    Ahead::step(ahead);
    const B lines = b.at(0, pair);
#pragma GCC unroll 4
    for (int i = 0; i < kPairsAStep; i++) {
      Floats x[T];
      for (int t = 0; t < T; t++) x[t] = lines.even(t, i);
      add(x, a + i * 2);
      for (int t = 0; t < T; t++) x[t] = lines.odd(t, i);
      add(x, a + i * 2 + 1);
    }
  }
  for (int h = 0; h < H; h++)
    for (int t = 0; t < T; t++) store(c + h * c_stride + t * 16, s[h][t]);
}

template <int H, bool ADD, class B>
void multiply_rows(const float* a, size_t a_stride, const B& b, int depth, int tiles, float* c, size_t c_stride, Ahead& ahead) {
  constexpr int T = tiles_at_once(H, B::kMost);
  int t = 0;
  for (; t + T <= tiles; t += T) multiply_tile<H, T, ADD>(a, a_stride, b.at(t, 0), depth, c + t * 16, c_stride, ahead);
  for (; t < tiles; t++) multiply_tile<H, 1, ADD>(a, a_stride, b.at(t, 0), depth, c + t * 16, c_stride, ahead);
}

// All rows, in runs of up to six, as equal as they go. depth: a multiple of 8.
template <bool ADD, class B>
void multiply(const float* a, size_t a_stride, int rows, const B& b, int depth, int tiles, float* c, size_t c_stride, Ahead& ahead) {
  constexpr decltype(&multiply_rows<1, ADD, B>) of[kProductRows] = {multiply_rows<1, ADD, B>, multiply_rows<2, ADD, B>,
                                                                    multiply_rows<3, ADD, B>, multiply_rows<4, ADD, B>,
                                                                    multiply_rows<5, ADD, B>, multiply_rows<6, ADD, B>};
  const int runs = (rows + kProductRows - 1) / kProductRows;
  for (int i = 0; i < runs; i++) {
    const int begin = rows * i / runs, end = rows * (i + 1) / runs;
    of[end - begin - 1](a + begin * a_stride, a_stride, b, depth, tiles, c + begin * c_stride, c_stride, ahead);
  }
}

// How often `multiply` reads ahead.
template <class B>
int steps_of_product(int rows, int depth, int tiles) {
  const int runs = (rows + kProductRows - 1) / kProductRows;
  int products = 0;
  for (int i = 0; i < runs; i++) {
    const int at_once = tiles_at_once(rows * (i + 1) / runs - rows * i / runs, B::kMost);
    products += tiles / at_once + tiles % at_once;
  }
  return products * depth / (2 * kPairsAStep);
}

}  // namespace longra::LONGRA_ISA
