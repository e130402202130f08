// Products for prefill with float32 rows: a panel is lines of sixteen floats.
#include "prefill.h"
#include "unpack.h"

namespace longra::LONGRA_ISA {

namespace {

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
void float_product(const Product& product) {
  const Output& out = product.out;
  const size_t x_stride = product.x_stride;
  float* scratch = reinterpret_cast<float*>(product.scratch);
  const Runs runs(product.k());
  const decltype(pick<UnpackFloats>(Format::Q4)) unpack[2] = {pick<UnpackFloats>(product.piece.matrix->format),
                                                              pick<UnpackFloats>(product.second().matrix->format)};
  const size_t panel_size = (size_t)runs.length * 512;
  float* sums = scratch + 2 * panel_size;
  const Floats scale[2] = {splat(1.0f), splat(1.0f)};
  for (int i; (i = product.deal.next()) >= 0;) {
    const Pair pair = product.pair(i);
    for (int run = 0; run < runs.count; run++) {
      const int first_group = run * runs.length;
      const int groups = runs.groups - first_group < runs.length ? runs.groups - first_group : runs.length;
      for (int h = 0; h < 2; h++)
        for (int g = 0; g < groups; g++)
          unpack[h](pair.block[h] + (first_group + g) / 2 * pair.stride[h], (first_group + g) % 2, scratch + h * panel_size + g * 512);
      const float* xs = product.x + first_group * 32;
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

void multiply_float_rows(const Product& product) {
  product.out.finish == Finish::Gate ? float_product<true>(product) : float_product<false>(product);
}

}  // namespace longra::LONGRA_ISA
