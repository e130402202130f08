// Where the sums of a block of sixteen outputs go.
#pragma once
#include "../runtime/kernels.h"
#include "simd.h"

namespace longra::LONGRA_ISA {

struct Outputs {
  const Piece& piece;
  float* y;
  size_t y_stride;
  Finish finish;  // Store or Add
};

LONGRA_INLINE float* place(const Outputs& out, int block, int row) {
  return out.y + row * out.y_stride + out.piece.column + block * kBlockRows;
}

LONGRA_INLINE void put(const Outputs& out, int block, int row, Floats value) {
  const int at = block * kBlockRows;
  float* y = place(out, block, row);
  if (out.piece.bias) value = value + load(out.piece.bias + at);
  if (out.finish == Finish::Add) value = value + load(y);
  store(y, value);
}

}  // namespace longra::LONGRA_ISA
