// Every emulated intrinsic on random bits: against its definition, and against the real instruction where the machine has it.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>

#include "../../../../native/runtime/cpu.h"
#include "cases.h"

namespace {

constexpr int kRounds = 4000;

// Any bits; or values of one size that meet, as 8, 16 or 32 bits of them; or denormals, zeros, infinities among floats.
void fill(uint8_t (&p)[64], int round, std::mt19937& draw) {
  for (uint8_t& byte : p) byte = (uint8_t)draw();
  if (round % 3 == 1)
    for (int i = 3; i < 64; i += 4) p[i] = (uint8_t)((p[i] & 0x80) | 0x3f);
  if (round % 3 == 2) {
    static const uint32_t special[] = {0, 0x80000000, 1, 0x807fffff, 0x00800000, 0x7f800000, 0xff800000, 0x7f7fffff, 0x3f800000};
    static const uint16_t halves[] = {0, 0x8000, 1, 0x3ff, 0x400, 0x7bff, 0x7c00, 0xfc00, 0x3c00};
    for (int i = 0; i < 64; i += 8) {
      std::memcpy(p + i, &special[draw() % 9], 4);
      std::memcpy(p + i + 4, &halves[draw() % 9], 2);
    }
  }
}

// The same bits, but that one not-a-number is as good as another where results are floats or half-precision floats.
bool same(const std::string& name, const Output& x, const Output& y) {
  if (x.mask != y.mask) return false;
  const bool halves = name.ends_with("_ph"), floats = name.ends_with("ps") || name.starts_with("roundscale");
  for (int i = 0; i < 64; i += 2) {
    uint16_t a, b;
    std::memcpy(&a, x.bits + i, 2);
    std::memcpy(&b, y.bits + i, 2);
    if (halves && (a & 0x7fff) > 0x7c00 && (b & 0x7fff) > 0x7c00) continue;
    float f, g;
    std::memcpy(&f, x.bits + i / 4 * 4, 4);
    std::memcpy(&g, y.bits + i / 4 * 4, 4);
    if (floats && f != f && g != g) continue;
    if (a != b) return false;
  }
  return true;
}

// Cases of `emulated` that `others` has too, compared on the same bits. Returns how many differ.
int compare(const char* with, std::span<const Case> emulated, std::span<const Case> others) {
  int compared = 0, wrong = 0;
  for (const Case& c : emulated) {
    const auto other = std::find_if(others.begin(), others.end(), [&](const Case& o) { return !std::strcmp(o.name, c.name); });
    if (other == others.end()) continue;
    compared++;
    std::mt19937 draw(1);
    for (int round = 0; round < kRounds; round++) {
      Inputs in;
      fill(in.a, round, draw);
      fill(in.b, round, draw);
      fill(in.c, round, draw);
      Output x{}, y{};
      c.run(in, x);
      other->run(in, y);
      if (same(c.name, x, y)) continue;
      std::printf("%s differs from %s in round %d\n", c.name, with, round);
      wrong++;
      break;
    }
  }
  std::printf("%d intrinsics compared with %s, %d differ\n", compared, with, wrong);
  return wrong;
}

bool usable(const char* isa) {
  const auto sets = longra::cpu::usable();
  return std::find(sets.begin(), sets.end(), isa) != sets.end();
}

}  // namespace

int main() {
  int wrong = compare("their definitions", longra::emulated::cases(), definitions());
  wrong += compare("their definitions", longra::emulated::tile_cases(), definitions());
#if defined(LONGRA_HAVE_AVX512)
  if (usable("avx512")) wrong += compare("real AVX-512", longra::emulated::cases(), longra::real_avx512::cases());
#endif
#if defined(LONGRA_HAVE_AVX512_BF16)
  if (usable("avx512_bf16")) wrong += compare("real AVX-512 with BF16", longra::emulated::cases(), longra::real_avx512_bf16::cases());
#endif
#if defined(LONGRA_HAVE_AMX)
  if (usable("amx")) {
    wrong += compare("real AVX-512 with FP16", longra::emulated::cases(), longra::real_amx::cases());
    wrong += compare("real AMX", longra::emulated::tile_cases(), longra::real_amx::tile_cases());
  }
#endif
  return wrong != 0;
}
