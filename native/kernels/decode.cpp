// Products for decode: one pass over the packed weights serves 1 to 4 rows, more rows pass again while the block is near.
//
// Bound by memory for one row: each superblock is read once, from four streams a thread (one from each quarter of its range),
// prefetched 3 KB ahead; the arithmetic of a group of 32 is eight integer dot products and three float operations.
// A row's sums run over k in order, whatever the number of rows or blocks beside it, so its bits depend on shapes alone.
#include "../runtime/kernels.h"
#include "simd.h"
#include "unpack.h"

namespace longra::LONGRA_ISA {

namespace {

constexpr int kAhead = 3072;  // bytes; measured best of 0.6 to 8 KB

LONGRA_INLINE Ints splat_quad(const int8_t* p) {
  int32_t quad;
  memcpy(&quad, p, 4);
  return splat_int(quad);
}

// R row blocks by M rows; block r starts at p + r * stride.
template <class L, int M, int R>
LONGRA_INLINE void sums_quantised(const uint8_t* p, size_t stride, int superblocks, const QuantisedRow* x, Floats (&out)[R][M]) {
  Floats offset_sums[L::has_offset ? R : 1][L::has_offset ? M : 1];
  for (int r = 0; r < R; r++)
    for (int m = 0; m < M; m++) out[r][m] = zero();
  if constexpr (L::has_offset)
    for (int r = 0; r < R; r++)
      for (int m = 0; m < M; m++) offset_sums[r][m] = zero();
  for (int s = 0; s < superblocks; s++, p += L::bytes) {
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) {
      const uint8_t* q = p + r * stride;
#pragma GCC unroll 20
      for (int line = 0; line < L::bytes; line += 64) prefetch(q + kAhead + line);
#pragma GCC unroll 2
      for (int half = 0; half < 2; half++) {
        Ints w[8];
        unpack_half<L>(q, half, w);
        constexpr int per_half = 32 / L::group;
        Floats scale[per_half], offset[per_half];
        for (int g = 0; g < per_half; g++) {
          scale[g] = load_half((const uint16_t*)(q + L::scales_at) + (half * per_half + g) * 16);
          if constexpr (L::has_offset) offset[g] = load_half((const uint16_t*)(q + L::offsets_at) + (half * per_half + g) * 16);
        }
        const int group = 2 * s + half;
#pragma GCC unroll 4
        for (int m = 0; m < M; m++) {
          const int8_t* codes = x[m].codes + group * 32;
          const int32_t* sum16 = x[m].sums + group * 2;
          const Floats sx = splat(x[m].scales[group]);
          if constexpr (L::group == 32) {
            const int32_t total = sum16[0] + sum16[1];
            Ints a = splat_int(-L::zero * total), b = zero_ints();
#pragma GCC unroll 4
            for (int o = 0; o < 8; o += 2) {
              a = dot<L::largest>(a, w[o], splat_quad(codes + 4 * o));
              b = dot<L::largest>(b, w[o + 1], splat_quad(codes + 4 * o + 4));
            }
            out[r][m] = fma(to_floats(a + b), scale[0] * sx, out[r][m]);
            if constexpr (L::has_offset) offset_sums[r][m] = fma(offset[0], splat(x[m].scales[group] * (float)total), offset_sums[r][m]);
          } else {
#pragma GCC unroll 2
            for (int g = 0; g < 2; g++) {
              Ints a = splat_int(-L::zero * sum16[g]);
#pragma GCC unroll 4
              for (int o = 4 * g; o < 4 * g + 4; o++) a = dot<L::largest>(a, w[o], splat_quad(codes + 4 * o));
              out[r][m] = fma(to_floats(a), scale[g] * sx, out[r][m]);
              if constexpr (L::has_offset)
                offset_sums[r][m] = fma(offset[g], splat(x[m].scales[group] * (float)sum16[g]), offset_sums[r][m]);
            }
          }
        }
      }
    }
  }
  if constexpr (L::has_offset)
    for (int r = 0; r < R; r++)
      for (int m = 0; m < M; m++) out[r][m] = out[r][m] + offset_sums[r][m];
}

// bf16 or float32 weights with float rows.
template <bool BF16, int M, int R>
LONGRA_INLINE void sums_float(const uint8_t* p, size_t stride, int inputs, const float* x, size_t x_stride, Floats (&out)[R][M]) {
  Floats odd[R][M];
  for (int r = 0; r < R; r++)
    for (int m = 0; m < M; m++) out[r][m] = odd[r][m] = zero();
  for (int k = 0; k < inputs; k += 2) {
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
        out[r][m] = fma(w0, splat(x[m * x_stride + k]), out[r][m]);
        odd[r][m] = fma(w1, splat(x[m * x_stride + k + 1]), odd[r][m]);
      }
    }
  }
  for (int r = 0; r < R; r++)
    for (int m = 0; m < M; m++) out[r][m] = out[r][m] + odd[r][m];
}

struct Work {
  const Piece& piece;
  const QuantisedRow* quantised;
  const float* x;
  size_t x_stride;
  float* y;
  size_t y_stride;
  Finish finish;
};

template <Format F, int M, int R>
LONGRA_INLINE void blocks(const Work& work, int block, int apart, int row) {
  const Matrix& w = *work.piece.matrix;
  const uint8_t* p = w.data + block * w.block_bytes();
  Floats out[R][M];
  if constexpr (F == Format::B16 || F == Format::F32)
    sums_float<F == Format::B16, M, R>(p, apart * w.block_bytes(), w.input_blocks() * kBlockInputs, work.x + row * work.x_stride,
                                       work.x_stride, out);
  else
    sums_quantised<LayoutOf<F>, M, R>(p, apart * w.block_bytes(), w.input_blocks(), work.quantised + row, out);
  for (int r = 0; r < R; r++) {
    const int at = (block + r * apart) * kBlockRows;
    for (int m = 0; m < M; m++) {
      float* y = work.y + (row + m) * work.y_stride + work.piece.column + at;
      Floats value = out[r][m];
      if (work.piece.bias) value = value + load(work.piece.bias + at);
      if (work.finish == Finish::Add) value = value + load(y);
      store(y, value);
    }
  }
}

#if defined(__AVX2__)

template <Format F>
LONGRA_INLINE void up_to_four(const Work& work, int block, int row, int rows) {
  switch (rows) {
    case 1: return blocks<F, 1, 1>(work, block, 0, row);
    case 2: return blocks<F, 2, 1>(work, block, 0, row);
    case 3: return blocks<F, 3, 1>(work, block, 0, row);
    default: return blocks<F, 4, 1>(work, block, 0, row);
  }
}

template <Format F>
static void run(const Work& work, int begin, int end, int rows) {
  if (rows > 1) {
    for (int b = begin; b < end; b++)
      for (int row = 0; row < rows; row += 4) up_to_four<F>(work, b, row, rows - row);
    return;
  }
  const int quarter = (end - begin) / 4;
  for (int i = 0; i < quarter; i++) blocks<F, 1, 4>(work, begin + i, quarter, 0);
  for (int b = begin + 4 * quarter; b < end; b++) blocks<F, 1, 1>(work, b, 0, 0);
}

#else

template <Format F>
static void run(const Work& work, int begin, int end, int rows) {
  for (int b = begin; b < end; b++)
    for (int row = 0; row < rows; row++) blocks<F, 1, 1>(work, b, 0, row);
}

#endif

}  // namespace

void decode(const Piece& piece, int begin, int end, const QuantisedRow* quantised, const float* x, size_t x_stride, int rows, float* y,
            size_t y_stride, Finish finish) {
  const Work work{piece, quantised, x, x_stride, y, y_stride, finish};
  switch (piece.matrix->format) {
    case Format::Q4: return run<Format::Q4>(work, begin, end, rows);
    case Format::Q4Offset: return run<Format::Q4Offset>(work, begin, end, rows);
    case Format::Q4Fine: return run<Format::Q4Fine>(work, begin, end, rows);
    case Format::Q4FineOffset: return run<Format::Q4FineOffset>(work, begin, end, rows);
    case Format::Q4Table: return run<Format::Q4Table>(work, begin, end, rows);
    case Format::Q5: return run<Format::Q5>(work, begin, end, rows);
    case Format::Q5Offset: return run<Format::Q5Offset>(work, begin, end, rows);
    case Format::Q6Fine: return run<Format::Q6Fine>(work, begin, end, rows);
    case Format::Q8: return run<Format::Q8>(work, begin, end, rows);
    case Format::B16: return run<Format::B16>(work, begin, end, rows);
    case Format::F32: return run<Format::F32>(work, begin, end, rows);
  }
}

// 8 bits in groups of 32, scale = largest / 127, to the nearest even.
void quantise(const float* x, int k, QuantisedRow row) {
  for (int g = 0; g < k / 32; g++) {
    const Floats a = load(x + g * 32), b = load(x + g * 32 + 16);
    const float top = largest(max(abs(a), abs(b)));
    const Floats inverse = splat(top > 0 ? 127.0f / top : 0.0f);
    int32_t q[32];
    store_line(q, to_ints(a * inverse));
    store_line(q + 16, to_ints(b * inverse));
    int32_t first = 0, second = 0;
    for (int i = 0; i < 16; i++) first += q[i], second += q[i + 16];
#if defined(__AVX512F__)
    const __m128i low = _mm512_cvtepi32_epi8(_mm512_loadu_si512(q)), high = _mm512_cvtepi32_epi8(_mm512_loadu_si512(q + 16));
    const __m128i order = _mm_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
    _mm_storeu_si128((__m128i*)(row.codes + g * 32), _mm_shuffle_epi8(low, order));
    _mm_storeu_si128((__m128i*)(row.codes + g * 32 + 16), _mm_shuffle_epi8(high, order));
#else
    for (int o = 0; o < 8; o++)
      for (int i = 0; i < 4; i++) row.codes[g * 32 + o * 4 + i] = (int8_t)q[input_of(o, i)];
#endif
    row.scales[g] = top / 127.0f * kUnit;
    row.sums[2 * g] = first;
    row.sums[2 * g + 1] = second;
  }
}

}  // namespace longra::LONGRA_ISA
