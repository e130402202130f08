// The two rates that speeds are counted against: reading memory, and multiplying on the widest unit.
#include "../runtime/kernels.h"
#include "dot.h"
#include "simd.h"
#include "tiles.h"

namespace longra::LONGRA_ISA {

// Read `bytes` from four streams, prefetched; the sum keeps the compiler from leaving it out.
uint32_t read_all(const uint8_t* p, size_t bytes, int ahead) {
  Ints sums[4] = {zero_ints(), zero_ints(), zero_ints(), zero_ints()};
  const size_t quarter = bytes / 4 / 128 * 128;
  for (size_t i = 0; i < quarter; i += 128)
    for (int s = 0; s < 4; s++) {
      const uint8_t* q = p + s * quarter + i;
      prefetch(q + ahead);
      prefetch(q + ahead + 64);
      sums[s] = sums[s] + load_line(q) + load_line(q + 64);
    }
  uint32_t lanes[16], total = 0;
  store_line(lanes, sums[0] + sums[1] + sums[2] + sums[3]);
  for (uint32_t lane : lanes) total += lane;
  return total;
}

// Multiply and add on operands of random bits from the first-level cache; returns the operations done. scratch: 16 KB.
double multiply_all(uint8_t* scratch, int rounds) {
  uint32_t seed = 1;
  auto* words = reinterpret_cast<uint16_t*>(scratch);
  for (int i = 0; i < 8192; i++) {
    seed = seed * 1664525u + 1013904223u;
    words[i] = (uint16_t)(0x3f80 | (seed >> 9 & 0x807f));  // bf16 between 1 and 2, either sign: real data, not zeros
  }
#if defined(__AMX_BF16__)
  configure_tiles([](int) { return 16; });
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int i = 0; i < rounds; i++) {
    const uint8_t* p = scratch + i % 4 * 4096;
    _tile_loadd(4, p, 64);
    _tile_loadd(6, p + 1024, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, p + 2048, 64);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, p + 3072, 64);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, scratch, 64);
  _tile_release();
  return (double)rounds * 4 * 2 * 16 * 16 * 32;
#else
  // Integers, as quantised products multiply them: half a superblock by several rows.
#if defined(__AVX512F__)
  constexpr int kSums = 16;  // an instruction's result is there after five cycles, and two may begin in each
#else
  constexpr int kSums = 4;
#endif
  using Layout = LayoutOf<Format::Q4>;
  const int halves = rounds / 8;
  Ints sums[kSums];
#pragma GCC unroll 16
  for (int j = 0; j < kSums; j++) sums[j] = zero_ints();
  for (int i = 0; i < halves; i++) {
    const uint8_t* codes = scratch + i % 16 * 512;
    const int8_t* x = reinterpret_cast<const int8_t*>(scratch) + 8192 + i % 8 * 1024;
#pragma GCC unroll 8
    for (int o = 0; o < 8; o++) {
      const Ints line = load_line(codes + o * 64);
#pragma GCC unroll 16
      for (int j = 0; j < kSums; j++) {
        sums[j] = Dot<Layout>::step(sums[j], line, splat_quad(x + j * 64 + o * 4));
        keep(sums[j]);
      }
    }
  }
#pragma GCC unroll 16
  for (int j = 0; j < kSums; j++) store_line(scratch + j * 64, sums[j]);
  return (double)halves * 8 * kSums * 2 * 64;
#endif
}

}  // namespace longra::LONGRA_ISA
