// Sixteen 32-bit lanes, the unit of every packed layout here: one AVX-512 register, two of AVX2, or four of 16 bytes.
// Everything lives in the instruction set's own namespace, so that no object file borrows another's code.
#pragma once
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#define LONGRA_VNNI  // `dot` takes four products of bytes at once
#endif
#if defined(__AVX512F__)
#include "lanes_avx512.h"
#elif defined(__AVX2__)
#include "lanes_avx2.h"
#else
#include "lanes_vectors.h"
#endif

namespace longra::LONGRA_ISA {

// A line that another core may have read last: it is taken from there before it is written to.
LONGRA_INLINE void prefetch_to_write(const void* p) { __builtin_prefetch(p, 1); }

LONGRA_INLINE Floats zero() { return splat(0.0f); }
LONGRA_INLINE Ints zero_ints() { return splat_int(0); }
// The two bf16 numbers of each lane as float32: the low one, the high one.
LONGRA_INLINE Floats low_bf16(Ints a) { return bits_to_floats(left32<16>(a)); }
LONGRA_INLINE Floats high_bf16(Ints a) { return bits_to_floats(a & splat_int((int32_t)0xffff0000)); }

LONGRA_INLINE float bf16_to_float(uint16_t h) {
  const uint32_t bits = (uint32_t)h << 16;
  float f;
  memcpy(&f, &bits, 4);
  return f;
}
LONGRA_INLINE uint16_t float_to_bf16(float f) {  // to the nearest even; finite input
  uint32_t bits;
  memcpy(&bits, &f, 4);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
// The same in the upper half of each lane.
LONGRA_INLINE Ints rounded_to_bf16(Floats x) {
  const Ints bits = floats_to_bits(x);
  return bits + splat_int(0x7fff) + (right32<16>(bits) & splat_int(1));
}
// 2^x: the degree-6 polynomial of Cephes' exp2f on [-1/2, 1/2], error below 2e-7 of the value.
LONGRA_INLINE Floats exp2(Floats x) {
  x = max(min(x, splat(127.0f)), splat(-126.0f));
  const Floats n = nearest(x), f = x - n;
  Floats r = splat(1.535336188319500e-4f);
  r = fma(r, f, splat(1.339887440266574e-3f));
  r = fma(r, f, splat(9.618437357674640e-3f));
  r = fma(r, f, splat(5.550332471162809e-2f));
  r = fma(r, f, splat(2.402264791363012e-1f));
  r = fma(r, f, splat(6.931472028550421e-1f));
  r = fma(r, f, splat(1.0f));
  return scale_by_power(r, n);
}
// The same in fewer steps: error below 3e-6 of the value, for what is rounded to bf16.
LONGRA_INLINE Floats exp2_brief(Floats x) {
  x = max(min(x, splat(127.0f)), splat(-126.0f));
  const Floats n = nearest(x), f = x - n;
  Floats r = splat(0.009570101276f);
  r = fma(r, f, splat(0.055917862803f));
  r = fma(r, f, splat(0.240247443318f));
  r = fma(r, f, splat(0.693121790886f));
  r = fma(r, f, splat(0.999999284744f));
  return scale_by_power(r, n);
}
// The same for x <= 0, in fewer steps: error below 3e-7 of the value, 2^-125 for all that is less.
LONGRA_INLINE Floats exp2_below(Floats x) {
  x = max(x, splat(-125.0f));
  const Floats shifted = x + splat(0x1.8p23f), f = x - (shifted - splat(0x1.8p23f));  // its low bits: the nearest integer
  Floats r = splat(1.32764715e-3f);
  r = fma(r, f, splat(9.67554133e-3f));
  r = fma(r, f, splat(5.55071327e-2f));
  r = fma(r, f, splat(2.40221197e-1f));
  r = fma(r, f, splat(6.93146967e-1f));
  r = fma(r, f, splat(1.0f));
  return bits_to_floats(floats_to_bits(r) + left32<23>(floats_to_bits(shifted)));
}
LONGRA_INLINE float exp2_one(float x) {
  float lanes[16];
  store(lanes, exp2(splat(x)));
  return lanes[0];
}

}  // namespace longra::LONGRA_ISA
