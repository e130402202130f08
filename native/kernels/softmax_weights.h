// Softmax weights as bf16 bit patterns, which are the matrix unit's operands.
//
// 128 * (s - m + 127) as an integer has the exponent of 2^(s - m) in its place and, below it, a fraction that a table of 128
// bytes turns into the mantissa.
#pragma once
#include "simd.h"

#if defined(__AVX512BF16__)

namespace longra::LONGRA_ISA {

// mantissa of 2^(i / 128): round(128 (2^(i / 128) - 1))
struct Mantissas {
  alignas(64) uint8_t of[128] = {};
  constexpr Mantissas() {
    for (int i = 0; i < 128; i++) {
      double power = 0, term = 1;
      for (int n = 1; n < 16; n++) {
        term *= i / 128.0 * 0.69314718055994531 / n;
        power += term;
      }
      of[i] = (uint8_t)(128 * power + 0.5);
    }
  }
};
inline constexpr Mantissas kMantissas;

// Weights 2^(scale * score - maximum), zero below 2^-127.
class WeightsBelow {
 public:
  WeightsBelow(float scale, float maximum) : per_step_(splat(scale * 128)), base_(splat((127.0f - maximum) * 128)) {}

  // Of two tiles' scores, packed in the order of tokens; adds them up, as they are after rounding, in `sums`.
  LONGRA_INLINE __m512i of(const WeightsBelow& w, Floats first, Floats second, Floats& sums) {
    const Ints x = to_ints(max(fma(first, w.per_step_, w.base_), zero()));
    const Ints y = to_ints(max(fma(second, w.per_step_, w.base_), zero()));
    const __m512i packed = _mm512_packus_epi32(x.v, y.v), low7 = _mm512_set1_epi16(0x7f);
    const __m512i mantissa = _mm512_permutex2var_epi8(_mm512_load_si512(kMantissas.of), packed, _mm512_load_si512(kMantissas.of + 64));
    const __m512i bits = _mm512_ternarylogic_epi32(low7, mantissa, packed, 0xca);  // low7 ? mantissa : exponent
    sums.v = _mm512_dpbf16_ps(sums.v, (__m512bh)bits, (__m512bh)_mm512_set1_epi16(0x3f80));
    return bits;
  }

 private:
  Floats per_step_, base_;
};

}  // namespace longra::LONGRA_ISA

#endif
