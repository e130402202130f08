// Intrinsics under test by name: each takes three registers of bits and a number, and gives a register and a mask.
#pragma once
#include <cstdint>
#include <span>

struct Inputs {
  alignas(64) uint8_t a[64], b[64], c[64];
};
struct Output {
  alignas(64) uint8_t bits[64];
  uint64_t mask;
};
struct Case {
  const char* name;
  void (*run)(const Inputs&, Output&);
};

namespace longra::emulated {
std::span<const Case> cases(), tile_cases();
}
namespace longra::real_avx512 {
std::span<const Case> cases();
}
namespace longra::real_avx512_bf16 {
std::span<const Case> cases();
}
namespace longra::real_amx {
std::span<const Case> cases(), tile_cases();
}
// From Intel's documentation, in plain loops; for what is not an AVX2 instruction done twice.
std::span<const Case> definitions();
