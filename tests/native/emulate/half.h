// Emulated AVX512-BF16 and AVX512-FP16.
#pragma once
#include "avx512.h"

namespace longra {

// BF16 instructions read denormals as zero and write zero for them, round to the nearest even, and do not look at MXCSR.

inline uint16_t to_bf16(float f) {
  const uint32_t bits = std::bit_cast<uint32_t>(f), exponent = bits >> 23 & 255;
  if (exponent == 0) return bits >> 16 & 0x8000;
  if (exponent == 255) return bits & 0x7fffff ? bits >> 16 | 0x40 : bits >> 16;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
inline float from_bf16(uint16_t h) {
  const uint32_t bits = (uint32_t)h << 16;
  return std::bit_cast<float>(bits & 0x7f800000 ? bits : bits & 0x80000000);
}
// A denormal becomes the zero of its sign.
inline float flushed(float f) {
  const uint32_t bits = std::bit_cast<uint32_t>(f);
  return std::bit_cast<float>(bits & 0x7f800000 ? bits : bits & 0x80000000);
}
inline __m256bh _mm512_cvtneps_pbh(__m512 a) {
  std::array<uint16_t, 16> r;
  for (int i = 0; i < 16; i++) r[i] = to_bf16(a[i]);
  return from_lanes<__m256bh>(r);
}
// The lower half comes from b.
inline __m512bh _mm512_cvtne2ps_pbh(__m512 a, __m512 b) {
  std::array<uint16_t, 32> r;
  for (int i = 0; i < 16; i++) r[i] = to_bf16(b[i]), r[16 + i] = to_bf16(a[i]);
  return from_lanes<__m512bh>(r);
}
// The odd products are added first.
inline __m512 _mm512_dpbf16_ps(__m512 acc, __m512bh a, __m512bh b) {
  const auto x = lanes_of<uint16_t>(a), y = lanes_of<uint16_t>(b);
  for (int i = 0; i < 16; i++) {
    const float odd = flushed(std::fma(from_bf16(x[2 * i + 1]), from_bf16(y[2 * i + 1]), flushed(acc[i])));
    acc[i] = flushed(std::fma(from_bf16(x[2 * i]), from_bf16(y[2 * i]), odd));
  }
  return acc;
}
inline __m512 _mm512_cvtpbh_ps(__m256bh a) {
  const auto x = lanes_of<uint16_t>(a);
  std::array<uint32_t, 16> r;
  for (int i = 0; i < 16; i++) r[i] = (uint32_t)x[i] << 16;
  return from_lanes<__m512>(r);
}

// FP16 arithmetic keeps denormals whatever MXCSR says. In double a product is exact, and so is a sum as far as rounding to
// eleven bits can tell.

inline __m512h _mm512_castsi512_ph(__m512i a) { return (__m512h)a; }
inline __m512i _mm512_castph_si512(__m512h a) { return (__m512i)a; }
inline __m512h _mm512_loadu_ph(const void* p) { return load_register<__m512h>(p); }
inline void _mm512_storeu_ph(void* p, __m512h v) { std::memcpy(p, &v, 64); }
inline __m512h _mm512_setzero_ph() { return __m512h{}; }
inline __m512h _mm512_set1_ph(_Float16 x) {
  std::array<_Float16, 32> lanes;
  lanes.fill(x);
  return from_lanes<__m512h>(lanes);
}
inline __m512h _mm512_add_ph(__m512h a, __m512h b) {
  return each<__m512h, _Float16>([](_Float16 x, _Float16 y) { return (_Float16)((double)x + (double)y); }, a, b);
}
inline __m512h _mm512_sub_ph(__m512h a, __m512h b) {
  return each<__m512h, _Float16>([](_Float16 x, _Float16 y) { return (_Float16)((double)x - (double)y); }, a, b);
}
inline __m512h _mm512_mul_ph(__m512h a, __m512h b) {
  return each<__m512h, _Float16>([](_Float16 x, _Float16 y) { return (_Float16)((double)x * (double)y); }, a, b);
}
inline __m512h _mm512_fmadd_ph(__m512h a, __m512h b, __m512h c) {
  return each<__m512h, _Float16>([](_Float16 x, _Float16 y, _Float16 z) { return (_Float16)((double)x * (double)y + (double)z); }, a, b, c);
}
inline __m512h _mm512_max_ph(__m512h a, __m512h b) {
  return each<__m512h, _Float16>([](_Float16 x, _Float16 y) { return (double)x > (double)y ? x : y; }, a, b);
}
inline __m512h _mm512_min_ph(__m512h a, __m512h b) {
  return each<__m512h, _Float16>([](_Float16 x, _Float16 y) { return (double)x < (double)y ? x : y; }, a, b);
}
inline __m512h _mm512_cvtepu16_ph(__m512i a) {
  const auto x = lanes_of<uint16_t>(a);
  std::array<_Float16, 32> r;
  for (int i = 0; i < 32; i++) r[i] = (_Float16)(double)x[i];
  return from_lanes<__m512h>(r);
}
inline __m512h _mm512_cvtepi16_ph(__m512i a) {
  const auto x = lanes_of<int16_t>(a);
  std::array<_Float16, 32> r;
  for (int i = 0; i < 32; i++) r[i] = (_Float16)(double)x[i];
  return from_lanes<__m512h>(r);
}

}  // namespace longra
