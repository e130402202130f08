// What prefill's products share: many rows by a pair of row blocks (32 outputs), in runs of k, and where the sums go.
//
// Runs of about 40 groups of 32 k keep a panel of unpacked weights and the rows in the second-level cache. A row's sums run
// over k in order, in runs that depend on k alone.
#pragma once
#include "../runtime/kernels.h"
#include "../runtime/share.h"
#include "activation.h"
#include "simd.h"

namespace longra::LONGRA_ISA {

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

inline Pair pair_of(const Piece& piece, const Piece* gate_with, int i) {
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

// What a product is told.
struct Product {
  const Piece& piece;
  const Piece* gate_with;
  Deal& deal;
  const uint16_t* operand;  // of all rows, or null
  const float* x;
  size_t x_stride;
  Output out;
  uint8_t* scratch;  // prefill_scratch
  int k() const { return piece.matrix->input_blocks() * kBlockInputs; }
  const Piece& second() const { return gate_with ? *gate_with : piece; }
  Pair pair(int i) const { return pair_of(piece, gate_with, i); }
};

#if defined(__AVX512BF16__)
void multiply_operand(const Product& product);  // bf16 rows, on the matrix unit or on vectors
#endif
void multiply_float_rows(const Product& product);

}  // namespace longra::LONGRA_ISA
