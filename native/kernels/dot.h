// The integer dot product of a group of weights with quantised inputs, the same exact number on every instruction set.
//
// sum of (code - zero) * x over the group = end(step(... step(start(sum of x), operand, quad) ...)), where a step takes four k.
//
// VNNI adds four products to 32 bits. Others have sums of two products in 16 bits, and adds those in 16 bits while a whole group
// fits: 16 products of 4 or 5 bits, or 8 of 6 bits, give at most 16 * 16 * 127 = 8 * 32 * 127 = 32,512 once zero is taken off
// (partial sums may wrap, the last one is right). Wider codes go as magnitude and sign, 2 * 128 * 127 = 32,512 a pair, and
// are widened at every step.
#pragma once
#include "../runtime/formats.h"
#include "simd.h"

namespace longra::LONGRA_ISA {

LONGRA_INLINE Ints splat_quad(const int8_t* p) {
  int32_t quad;
  memcpy(&quad, p, 4);
  return splat_int(quad);
}

#if !defined(LONGRA_VNNI)

// The sums of a group's codes: negative, of the even and of the odd pairs of bytes, as two 16-bit numbers.
template <class L>
struct Dot {
  static constexpr bool wide = L::largest > 63;
  static_assert(wide || L::group * (L::zero / 2) * 127 < 32768);

  LONGRA_INLINE Ints operand(Ints codes) { return wide ? codes ^ splat_int((int32_t)0x80808080) : codes; }
  LONGRA_INLINE Ints start(int32_t sums) { return wide ? zero_ints() : left16<wide ? 0 : L::zero_bits>(splat_int(sums)); }
  LONGRA_INLINE Ints step(Ints acc, Ints w, Ints x) {
    if constexpr (wide) return acc + sum_pairs16(multiply_pairs8(abs8(w), sign8(x, w)));
    return add16(acc, multiply_pairs8(w, x));
  }
  LONGRA_INLINE Ints join(Ints a, Ints b) { return wide ? a + b : add16(a, b); }
  LONGRA_INLINE Ints end(Ints acc) { return wide ? acc : sum_pairs16(acc); }
};

#else

// The sum of a group's codes: negative.
template <class L>
struct Dot {
  LONGRA_INLINE Ints operand(Ints codes) { return codes; }
  LONGRA_INLINE Ints start(int32_t sum) { return left32<L::zero_bits>(splat_int(sum)); }
  LONGRA_INLINE Ints step(Ints acc, Ints w, Ints x) { return dot(acc, w, x); }
  LONGRA_INLINE Ints join(Ints a, Ints b) { return a + b; }
  LONGRA_INLINE Ints end(Ints acc) { return acc; }
};

#endif

}  // namespace longra::LONGRA_ISA
