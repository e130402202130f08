// Products for prefill with bf16 weights, on vectors that multiply bf16 pairs: a superblock's halves are tiles as they lie.
#if defined(__AVX512BF16__) && !defined(__AMX_BF16__)

#include "prefill.h"

#include "bf16_products.h"

namespace longra::LONGRA_ISA {

namespace {

template <bool GATE>
void pair_product(const Product& product) {
  constexpr int kRun = 8;  // groups of 32 k: 16 KB of weights stay in the first-level cache for all rows
  const Output& out = product.out;
  const int groups = product.k() / 32, rows = (out.rows + 31) / 32 * 32;
  float* sums = reinterpret_cast<float*>(product.scratch);
  const Floats unscaled = splat(1.0f / kOperandScale), scale[2] = {unscaled, unscaled};
  for (int i; (i = product.deal.next()) >= 0;) {
    const Pair pair = product.pair(i);
    for (int first = 0; first < groups; first += kRun) {
      const int run = groups - first < kRun ? groups - first : kRun;
      auto weights = [&](int g, int t) {
        return (const uint16_t*)(pair.block[t] + (first + g) / 2 * pair.stride[t] + (first + g) % 2 * 1024);
      };
      for (int row = 0; row < rows; row += 8) {
        const PairRows x{product.operand + (((size_t)(row / 32) * groups + first) * 2 + row % 32 / 16) * 512 + row % 16 * 32, 1024};
        if (first == 0)
          multiply_pairs<8, 2, false>(x, run, weights, sums + row * 32, 32, 16);
        else
          multiply_pairs<8, 2, true>(x, run, weights, sums + row * 32, 32, 16);
      }
    }
    for (int row = 0; row < out.rows; row++) finish_row<GATE>(out, pair, i, row, load(sums + row * 32), load(sums + row * 32 + 16), scale);
  }
}

}  // namespace

void multiply_operand(const Product& product) {
  product.out.finish == Finish::Gate ? pair_product<true>(product) : pair_product<false>(product);
}

}  // namespace longra::LONGRA_ISA

#endif
