// Products of bf16 or float32 weights with few float rows: one pass over the weights serves 1 to 4 rows.
//
// Bound by memory: for one row, four streams a thread (one from each quarter of its range), prefetched 3 KB ahead. A row's
// sums run over k in order, whatever the number of rows or blocks beside it.
#include "outputs.h"
#include "simd.h"

namespace longra::LONGRA_ISA {

namespace {

constexpr int kAhead = 3072;  // bytes; measured best of 0.6 to 8 KB

struct Work {
  Outputs out;
  const float* x;
  size_t x_stride;
};

// R row blocks, `apart` from each other, by M rows.
template <bool BF16, int M, int R>
LONGRA_INLINE void blocks(const Work& work, int block, int apart, int row) {
  const Matrix& w = *work.out.piece.matrix;
  const uint8_t* p = w.data + block * w.block_bytes();
  const size_t stride = apart * w.block_bytes();
  const float* x = work.x + row * work.x_stride;
  Floats even[R][M], odd[R][M];
  for (int r = 0; r < R; r++)
    for (int m = 0; m < M; m++) even[r][m] = odd[r][m] = zero();
  for (int k = 0; k < w.input_blocks() * kBlockInputs; k += 2) {
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) {
      const uint8_t* q = p + r * stride + (size_t)k * (BF16 ? 32 : 64);
      Floats w0, w1;
      if constexpr (BF16) {
        prefetch(q + kAhead);
        const Ints line = load_line(q);
        w0 = low_bf16(line);
        w1 = high_bf16(line);
      } else {
        prefetch(q + kAhead);
        prefetch(q + kAhead + 64);
        w0 = load((const float*)q);
        w1 = load((const float*)q + 16);
      }
#pragma GCC unroll 4
      for (int m = 0; m < M; m++) {
        even[r][m] = fma(w0, splat(x[m * work.x_stride + k]), even[r][m]);
        odd[r][m] = fma(w1, splat(x[m * work.x_stride + k + 1]), odd[r][m]);
      }
    }
  }
  for (int r = 0; r < R; r++)
    for (int m = 0; m < M; m++) put(work.out, block + r * apart, row + m, even[r][m] + odd[r][m]);
}

#if defined(__AVX2__)

template <bool BF16>
LONGRA_INLINE void up_to_four(const Work& work, int block, int row, int rows) {
  switch (rows) {
    case 1: return blocks<BF16, 1, 1>(work, block, 0, row);
    case 2: return blocks<BF16, 2, 1>(work, block, 0, row);
    case 3: return blocks<BF16, 3, 1>(work, block, 0, row);
    default: return blocks<BF16, 4, 1>(work, block, 0, row);
  }
}

template <bool BF16>
void run(const Work& work, int begin, int end, int rows) {
  if (rows > 1) {
    for (int b = begin; b < end; b++)
      for (int row = 0; row < rows; row += 4) up_to_four<BF16>(work, b, row, rows - row);
    return;
  }
  const int quarter = (end - begin) / 4;
  for (int i = 0; i < quarter; i++) blocks<BF16, 1, 4>(work, begin + i, quarter, 0);
  for (int b = begin + 4 * quarter; b < end; b++) blocks<BF16, 1, 1>(work, b, 0, 0);
}

#else

template <bool BF16>
void run(const Work& work, int begin, int end, int rows) {
  for (int b = begin; b < end; b++)
    for (int row = 0; row < rows; row++) blocks<BF16, 1, 1>(work, b, 0, row);
}

#endif

}  // namespace

void multiply_floats(const Piece& piece, int begin, int end, const float* x, size_t x_stride, int rows, float* y, size_t y_stride,
                     Finish finish) {
  const Work work{{piece, y, y_stride, finish}, x, x_stride};
  if (piece.matrix->format == Format::B16)
    run<true>(work, begin, end, rows);
  else
    run<false>(work, begin, end, rows);
}

}  // namespace longra::LONGRA_ISA
