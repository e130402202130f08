// Products of quantised weights with quantised rows: decode, and prefill where there is no matrix unit.
//
// One row is bound by memory: each superblock is read once, from four streams a thread (one from each quarter of its range),
// prefetched ahead. Many rows are bound by the integer units: a group of 32 k by 16 outputs is unpacked once into the
// first-level cache and multiplied with all rows of a chunk, kTile rows at a time in registers; the float sums of the chunk,
// 4 KB, lie beside it.
//
// The products of a group are exact integers, and a row's float sums run over the groups in order. So a row has the same
// bits whatever rows or blocks are beside it, and in decode and prefill alike.
#include "dot.h"
#include "outputs.h"
#include "simd.h"
#include "unpack.h"

namespace longra::LONGRA_ISA {

namespace {

// Bytes. AVX2: measured best of 0.6 to 8 KB. AVX-512: from memory to the second-level cache first, which gave 5 to 12 % more.
#if defined(__AVX512F__)
constexpr int kAhead = 1536, kFarAhead = 10240;
#else
constexpr int kAhead = 3072, kFarAhead = 0;
#endif

// Rows whose sums stay in registers from the first k to the last, and rows of a tile of many.
#if defined(__AVX512F__)
constexpr int kInRegisters = 4, kTile = 8;
#elif defined(__AVX2__)
constexpr int kInRegisters = 1, kTile = 4;
#else
constexpr int kInRegisters = 1, kTile = 1;
#endif

// Half a superblock, ready to be multiplied.
template <class L>
struct Half {
  static constexpr int groups = 32 / L::group, quads = L::group / 4;
  static constexpr int sum_of(int g) { return groups == 1 ? 2 : g; }  // which of a row's sums belong to group g
  Ints w[8];
  Floats scale[groups], offset[groups];
};

template <class L>
LONGRA_INLINE Half<L> unpacked(const uint8_t* p, int half) {
  Half<L> h;
  unpack_half<L>(p, half, h.w);
  for (int o = 0; o < 8; o++) h.w[o] = Dot<L>::operand(h.w[o]);
  for (int g = 0; g < h.groups; g++) {
    const int at = (half * h.groups + g) * 16;
    h.scale[g] = load_half((const uint16_t*)(p + L::scales_at) + at);
    if constexpr (L::has_offset) h.offset[g] = load_half((const uint16_t*)(p + L::offsets_at) + at);
  }
  return h;
}

// One sum takes products and offsets: two were 14 to 19 % slower by many rows with AVX-512, up to 15 % with AVX2.
template <class L>
LONGRA_INLINE void add_group(Floats& sum, const Half<L>& h, int g, Ints dot, const QuantisedGroup& x) {
  sum = fma(to_floats(dot), h.scale[g] * splat(x.scale), sum);
  if constexpr (L::has_offset) sum = fma(h.offset[g], splat(x.scaled[h.sum_of(g)]), sum);
}

template <class L>
LONGRA_INLINE void prefetch_superblock(const uint8_t* p) {
#pragma GCC unroll 20
  for (int line = 0; line < L::bytes; line += 64) {
    prefetch(p + kAhead + line);
    if constexpr (kFarAhead > 0) prefetch_far(p + kFarAhead + line);
  }
}

// R row blocks, `apart` from each other, by M rows (those of a chunk).
template <class L, int M, int R>
LONGRA_INLINE void stream(const Outputs& out, const QuantisedRows& x, int block, int apart) {
  const Matrix& matrix = *out.piece.matrix;
  const uint8_t* p = matrix.data + block * matrix.block_bytes();
  const size_t stride = apart * matrix.block_bytes();
  const QuantisedGroup* group = x.data;
  Floats sums[R][M];
  for (auto& of_block : sums)
    for (Floats& sum : of_block) sum = zero();
  for (int s = 0; s < matrix.input_blocks(); s++, p += L::bytes, group += 2 * M) {
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) {
      const uint8_t* q = p + r * stride;
      prefetch_superblock<L>(q);
#pragma GCC unroll 2
      for (int half = 0; half < 2; half++) {
        const Half<L> h = unpacked<L>(q, half);
#pragma GCC unroll 4
        for (int m = 0; m < M; m++) {
          const QuantisedGroup& g = group[half * M + m];
#pragma GCC unroll 2
          for (int i = 0; i < h.groups; i++) {
            Ints a = Dot<L>::start(g.sums[h.sum_of(i)]), b = zero_ints();
#pragma GCC unroll 4
            for (int o = i * h.quads; o < (i + 1) * h.quads; o += 2) {
              a = Dot<L>::step(a, h.w[o], splat_quad(g.codes + 4 * o));
              b = Dot<L>::step(b, h.w[o + 1], splat_quad(g.codes + 4 * o + 4));
            }
            add_group(sums[r][m], h, i, Dot<L>::end(Dot<L>::join(a, b)), g);
          }
        }
      }
    }
  }
  for (int r = 0; r < R; r++)
    for (int m = 0; m < M; m++) put(out, block + r * apart, m, sums[r][m]);
}

// T rows by half a superblock.
template <class L, int T>
LONGRA_INLINE void tile(const Half<L>& h, const QuantisedGroup* x, Floats* sums) {
#pragma GCC unroll 2
  for (int i = 0; i < h.groups; i++) {
    Ints acc[T];
    for (int t = 0; t < T; t++) acc[t] = Dot<L>::start(x[t].sums[h.sum_of(i)]);
#pragma GCC unroll 8
    for (int o = i * h.quads; o < (i + 1) * h.quads; o++) {
      const Ints w = h.w[o];
#pragma GCC unroll 8
      for (int t = 0; t < T; t++) acc[t] = Dot<L>::step(acc[t], w, splat_quad(x[t].codes + 4 * o));
      for (int t = 0; t < T; t++) keep(acc[t]);
    }
    for (int t = 0; t < T; t++) add_group(sums[t], h, i, Dot<L>::end(acc[t]), x[t]);
  }
}

// The rows that whole tiles leave over, by halves of a tile.
template <class L, int T>
LONGRA_INLINE void rest(const Half<L>& h, const QuantisedGroup* x, Floats* sums, int rows) {
  if constexpr (T > 0) {
    if (rows & T) {
      tile<L, T>(h, x, sums);
      x += T;
      sums += T;
    }
    rest<L, T / 2>(h, x, sums, rows);
  }
}

// One row block by the rows of a chunk, `first` and on.
template <class L>
void tiles(const Outputs& out, const QuantisedRows& x, int block, int first) {
  const Matrix& matrix = *out.piece.matrix;
  const uint8_t* p = matrix.data + block * matrix.block_bytes();
  const int rows = x.chunk_rows(first);
  const QuantisedGroup* group = x.chunk(first);
  Floats sums[kChunkRows];
  for (Floats& sum : sums) sum = zero();
  const int rows_a_step = (rows + matrix.input_blocks() - 1) / matrix.input_blocks();
  for (int s = 0, next = 0; s < matrix.input_blocks(); s++, p += L::bytes) {
    prefetch_superblock<L>(p);
    for (int end = next + rows_a_step < rows ? next + rows_a_step : rows; next < end; next++)
      prefetch_to_write(place(out, block, first + next));
    for (int half = 0; half < 2; half++, group += rows) {
      const Half<L> h = unpacked<L>(p, half);
      int row = 0;
      for (; row + kTile <= rows; row += kTile) tile<L, kTile>(h, group + row, sums + row);
      rest<L, kTile / 2>(h, group + row, sums + row, rows - row);
    }
  }
  for (int row = 0; row < rows; row++) put(out, block, first + row, sums[row]);
}

template <class L, int M>
void by_registers(const Outputs& out, const QuantisedRows& x, int begin, int end) {
  if (M < x.rows) {
    if constexpr (M < kInRegisters) by_registers<L, M + 1>(out, x, begin, end);
    return;
  }
  constexpr int R = M == 1 && kTile > 1 ? 4 : 1;
  const int apart = (end - begin) / R;
  for (int i = 0; i < apart; i++) stream<L, M, R>(out, x, begin + i, apart);
  for (int b = begin + R * apart; b < end; b++) stream<L, M, 1>(out, x, b, 0);
}

}  // namespace

void multiply_quantised(const Piece& piece, int begin, int end, const QuantisedRows& x, float* y, size_t y_stride, Finish finish) {
  const Outputs out{piece, y, y_stride, finish};
  with_layout(piece.matrix->format, [&]<class L>() {
    if (x.rows <= kInRegisters) return by_registers<L, 1>(out, x, begin, end);
    for (int b = begin; b < end; b++)
      for (int first = 0; first < x.rows; first += kChunkRows) tiles<L>(out, x, b, first);
  });
}

}  // namespace longra::LONGRA_ISA
