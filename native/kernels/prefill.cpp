// Prefill: many rows by a matrix, each unpacked panel of weights shared by all of them (prefill_*.cpp).
#include "prefill.h"

namespace longra::LONGRA_ISA {

void prefill(const Piece& piece, const Piece* gate_with, Deal& deal, const uint16_t* operand, const float* x, size_t x_stride, int rows,
             float* y, size_t y_stride, uint16_t* out_operand, int out_k, Finish finish, Activate kind, uint8_t* scratch) {
  const Product product{piece, gate_with, deal, operand, x, x_stride, {y, y_stride, out_operand, out_k / 32, rows, finish, kind}, scratch};
#if defined(__AVX512BF16__)
  if (operand) return multiply_operand(product);
#endif
  multiply_float_rows(product);
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
