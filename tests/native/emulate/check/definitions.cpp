// What the instructions do, written from Intel's Software Developer's Manual, one element after the other.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "cases.h"

namespace {

template <class T>
T at(const uint8_t* p, int i) {
  T v;
  std::memcpy(&v, p + i * sizeof(T), sizeof(T));
  return v;
}
template <class T>
void set(Output& out, int i, T v) {
  std::memcpy(out.bits + i * sizeof(T), &v, sizeof(T));
}
template <class To>
To saturated(int64_t v) {
  const int64_t least = sizeof(To) == 1 ? (To(-1) < 0 ? -128 : 0) : (To(-1) < 0 ? -32768 : 0);
  const int64_t most = least < 0 ? -least - 1 : (sizeof(To) == 1 ? 255 : 65535);
  return (To)(v < least ? least : v > most ? most : v);
}

// Packing works within 128 bits: the saturated elements of a, then of b.
template <class From, class To>
void pack(const Inputs& in, Output& out) {
  constexpr int n = 16 / sizeof(From);
  for (int lane = 0; lane < 4; lane++)
    for (int i = 0; i < n; i++) {
      set<To>(out, lane * 2 * n + i, saturated<To>(at<From>(in.a, lane * n + i)));
      set<To>(out, lane * 2 * n + n + i, saturated<To>(at<From>(in.b, lane * n + i)));
    }
}
template <class From, class To, bool SATURATES>
void narrow(const Inputs& in, Output& out) {
  for (int i = 0; i < (int)(64 / sizeof(From)); i++) set<To>(out, i, SATURATES ? saturated<To>(at<From>(in.a, i)) : (To)at<From>(in.a, i));
}
template <class A, class B, bool SATURATES>
void dot(const Inputs& in, Output& out) {
  constexpr int n = 4 / sizeof(A);
  for (int i = 0; i < 16; i++) {
    int64_t sum = at<int32_t>(in.a, i);
    for (int j = 0; j < n; j++) sum += (int64_t)at<A>(in.b, i * n + j) * at<B>(in.c, i * n + j);
    if (SATURATES) sum = std::min<int64_t>(std::max<int64_t>(sum, -2147483648LL), 2147483647LL);
    set<int32_t>(out, i, (int32_t)(uint32_t)sum);
  }
}
template <class T, int N>
void permute2(const Inputs& in, Output& out) {  // the bit above the index tells the table
  for (int i = 0; i < N; i++) {
    const int index = at<T>(in.b, i) & (2 * N - 1);
    set<T>(out, i, index < N ? at<T>(in.a, index) : at<T>(in.c, index - N));
  }
}
template <class T, int N>
void permute(const Inputs& in, Output& out) {
  for (int i = 0; i < N; i++) set<T>(out, i, at<T>(in.b, at<T>(in.a, i) & (N - 1)));
}
template <int TABLE>
void logic(const Inputs& in, Output& out) {
  for (int byte = 0; byte < 64; byte++) {
    uint8_t r = 0;
    for (int bit = 0; bit < 8; bit++) {
      const int index = (in.a[byte] >> bit & 1) * 4 + (in.b[byte] >> bit & 1) * 2 + (in.c[byte] >> bit & 1);
      r |= (TABLE >> index & 1) << bit;
    }
    out.bits[byte] = r;
  }
}
template <int P>
void compare(const Inputs& in, Output& out) {
  out.mask = 0;
  for (int i = 0; i < 16; i++) {
    const float x = at<float>(in.a, i), y = at<float>(in.b, i);
    const bool unordered = std::isnan(x) || std::isnan(y);
    const bool truth[16] = {x == y,    x < y,    x <= y, unordered,      !(x == y), !(x < y), !(x <= y), !unordered, x == y || unordered,
                            !(x >= y), !(x > y), false,  x < y || x > y, x >= y,    x > y,    true};
    out.mask |= (uint64_t)truth[P & 15] << i;
  }
}

float bf16(uint16_t h) {  // denormals are zero
  const uint32_t bits = (h & 0x7f80 ? h : h & 0x8000) * 65536u;
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}
float normal(float f) { return std::fpclassify(f) == FP_SUBNORMAL ? std::copysign(0.0f, f) : f; }
uint16_t round_to_bf16(float f) {
  if (std::isnan(f)) {
    uint32_t bits;
    std::memcpy(&bits, &f, 4);
    return (uint16_t)(bits >> 16 | 64);
  }
  f = normal(f);
  if (std::isinf(f) || f == 0) return (uint16_t)((std::signbit(f) ? 0x8000 : 0) | (f == 0 ? 0 : 0x7f80));
  int exponent;
  const double fraction = std::frexp(std::fabs((double)f), &exponent);  // 1/2 to 1
  const float rounded = (float)std::ldexp(std::nearbyint(fraction * 256), exponent - 8);
  uint32_t bits;
  std::memcpy(&bits, &rounded, 4);
  return (uint16_t)((std::signbit(f) ? 0x8000 : 0) | bits >> 16);
}
double half(uint16_t h) {
  const int exponent = h >> 10 & 31, mantissa = h & 1023;
  const double size = exponent == 31 ? (mantissa ? NAN : INFINITY)
                      : exponent     ? std::ldexp(1024 + mantissa, exponent - 25)
                                     : std::ldexp(mantissa, -24);
  return h & 0x8000 ? -size : size;
}
uint16_t round_to_half(double v) {
  const uint16_t sign = std::signbit(v) ? 0x8000 : 0;
  if (std::isnan(v)) return sign | 0x7e00;
  v = std::fabs(v);
  if (v >= 65520) return sign | 0x7c00;
  if (v == 0) return sign;
  int exponent = 0;
  std::frexp(v, &exponent);
  const int shift = std::max(exponent - 11, -24);  // of the last place
  const double places = std::nearbyint(std::ldexp(v, -shift));
  return (uint16_t)(sign | (shift == -24 && places < 1024 ? (int)places : (int)places - 1024 + ((shift + 25) << 10)));
}
template <class F>
void halves(const Inputs& in, Output& out, F f) {
  for (int i = 0; i < 32; i++)
    set<uint16_t>(out, i, round_to_half(f(half(at<uint16_t>(in.a, i)), half(at<uint16_t>(in.b, i)), half(at<uint16_t>(in.c, i)))));
}

// The shapes of tiles in cases.cpp: c [3][4], a [3] rows of 20 bytes, b [5] rows 12 bytes apart.
template <class A, class B>
void tile_bytes(const Inputs& in, Output& out) {
  for (int m = 0; m < 3; m++)
    for (int n = 0; n < 4; n++) {
      int64_t sum = at<int32_t>(in.a + m * 16, n);
      for (int k = 0; k < 5; k++)
        for (int i = 0; i < 4; i++) sum += (int)at<A>(in.b + m * 20, 4 * k + i) * (int)at<B>(in.c + k * 12, 4 * n + i);
      const int32_t wrapped = (int32_t)(uint32_t)sum;
      std::memcpy(out.bits + m * 20 + n * 4, &wrapped, 4);
    }
}
void tile_bf16(const Inputs& in, Output& out) {
  for (int m = 0; m < 3; m++)
    for (int n = 0; n < 4; n++) {
      float sums[2] = {0, 0};
      for (int k = 0; k < 5; k++)
        for (int i = 0; i < 2; i++)
          sums[i] = normal(std::fma(bf16(at<uint16_t>(in.b + m * 20, 2 * k + i)), bf16(at<uint16_t>(in.c + k * 12, 2 * n + i)), sums[i]));
      const float sum = normal(normal(at<float>(in.a + m * 16, n)) + normal(sums[0] + sums[1]));
      std::memcpy(out.bits + m * 20 + n * 4, &sum, 4);
    }
}

#define EACH(name, T, n, value)                              \
  {name, [](const Inputs& in, Output& out) {                 \
     for (int i = 0; i < n; i++) set<T>(out, i, (T)(value)); \
   }}
#define MASK(name, T, n, op)                                                                    \
  {name, [](const Inputs& in, Output& out) {                                                    \
     for (int i = 0; i < n; i++) out.mask |= (uint64_t)(at<T>(in.a, i) op at<T>(in.b, i)) << i; \
   }}

const Case all[] = {
    {"packs_epi16", pack<int16_t, int8_t>},
    {"packs_epi32", pack<int32_t, int16_t>},
    {"packus_epi16", pack<int16_t, uint8_t>},
    {"packus_epi32", pack<int32_t, uint16_t>},
    {"cvtepi32_epi8", narrow<int32_t, int8_t, false>},
    {"cvtsepi32_epi8", narrow<int32_t, int8_t, true>},
    {"cvtusepi32_epi8", narrow<uint32_t, uint8_t, true>},
    {"cvtepi32_epi16", narrow<int32_t, int16_t, false>},
    {"cvtsepi32_epi16", narrow<int32_t, int16_t, true>},
    {"cvtusepi32_epi16", narrow<uint32_t, uint16_t, true>},
    {"cvtepi16_epi8", narrow<int16_t, int8_t, false>},
    {"cvtsepi16_epi8", narrow<int16_t, int8_t, true>},
    {"cvtusepi16_epi8", narrow<uint16_t, uint8_t, true>},
    {"dpbusd_avx_epi32", dot<uint8_t, int8_t, false>},
    {"dpbusd_epi32", dot<uint8_t, int8_t, false>},
    {"dpbusds_epi32", dot<uint8_t, int8_t, true>},
    {"dpwssd_epi32", dot<int16_t, int16_t, false>},
    {"permutexvar_epi8", permute<uint8_t, 64>},
    {"permutexvar_epi16", permute<uint16_t, 32>},
    {"permutexvar_epi32", permute<uint32_t, 16>},
    {"permutex2var_epi8", permute2<uint8_t, 64>},
    {"permutex2var_epi16", permute2<uint16_t, 32>},
    {"permutex2var_epi32", permute2<uint32_t, 16>},
    {"ternarylogic_epi32 0xea", logic<0xea>},
    {"ternarylogic_epi32 0xca", logic<0xca>},
    {"ternarylogic_epi32 0x96", logic<0x96>},
    {"ternarylogic_epi32 0x1d", logic<0x1d>},
    {"cmp_ps 0", compare<0>},
    {"cmp_ps 1", compare<1>},
    {"cmp_ps 2", compare<2>},
    {"cmp_ps 3", compare<3>},
    {"cmp_ps 4", compare<4>},
    {"cmp_ps 5", compare<5>},
    {"cmp_ps 6", compare<6>},
    {"cmp_ps 7", compare<7>},
    {"cmp_ps 8", compare<8>},
    {"cmp_ps 9", compare<9>},
    {"cmp_ps 10", compare<10>},
    {"cmp_ps 11", compare<11>},
    {"cmp_ps 12", compare<12>},
    {"cmp_ps 13", compare<13>},
    {"cmp_ps 14", compare<14>},
    {"cmp_ps 15", compare<15>},
    {"cmp_ps 17", compare<17>},
    {"cmp_ps 30", compare<30>},
    MASK("cmplt_epi32", int32_t, 16, <),
    MASK("cmpgt_epu8", uint8_t, 64, >),
    MASK("cmpeq_epi16", int16_t, 32, ==),
    MASK("cmpneq_epi32", int32_t, 16, !=),
    MASK("cmple_epi8", int8_t, 64, <=),
    MASK("cmpge_epu32", uint32_t, 16, >=),
    EACH("mask_mov_ps", uint32_t, 16, at<uint32_t>(at<uint16_t>(in.c, 0) >> i & 1 ? in.b : in.a, i)),
    EACH("maskz_mov_ps", uint32_t, 16, at<uint16_t>(in.c, 0) >> i & 1 ? at<uint32_t>(in.b, i) : 0),
    EACH("maskz_loadu_ps", uint32_t, 16, at<uint16_t>(in.c, 0) >> i & 1 ? at<uint32_t>(in.b, i) : 0),
    EACH("mask_storeu_ps", uint32_t, 16, at<uint16_t>(in.c, 0) >> i & 1 ? at<uint32_t>(in.b, i) : 0),
    EACH("mask_mov_epi8", uint8_t, 64, at<uint64_t>(in.c, 0) >> i & 1 ? in.b[i] : in.a[i]),
    EACH("shuffle_i32x4", uint32_t, 16, at<uint32_t>(i < 8 ? in.a : in.b, (0x8d >> i / 4 * 2 & 3) * 4 + i % 4)),
    EACH("alignr_epi8 5", uint8_t, 64, i % 16 < 11 ? in.b[i + 5] : in.a[i - 11]),
    EACH("alignr_epi8 21", uint8_t, 64, i % 16 < 11 ? in.a[i + 5] : 0),
    EACH("extracti32x4_epi32", uint32_t, 4, at<uint32_t>(in.a, 8 + i)),
    EACH("inserti64x4", uint32_t, 16, i < 8 ? at<uint32_t>(in.a, i) : at<uint32_t>(in.b, i - 8)),
    EACH("broadcast_i32x4", uint32_t, 16, at<uint32_t>(in.a, i % 4)),
    EACH("cvtepi8_epi32", int32_t, 16, at<int8_t>(in.a, i)),
    EACH("cvtepu8_epi32", int32_t, 16, in.a[i]),
    EACH("cvtepi16_epi32", int32_t, 16, at<int16_t>(in.a, i)),
    EACH("cvtepu16_epi32", int32_t, 16, at<uint16_t>(in.a, i)),
    EACH("cvtepi8_epi16", int16_t, 32, at<int8_t>(in.a, i)),
    EACH("cvtepu8_epi16", int16_t, 32, in.a[i]),
    EACH("slli_epi16 3", uint16_t, 32, at<uint16_t>(in.a, i) << 3),
    EACH("slli_epi16 17", uint16_t, 32, 0 * in.a[i]),
    EACH("srai_epi16 3", int16_t, 32, at<int16_t>(in.a, i) >> 3),
    EACH("srai_epi32 40", int32_t, 16, at<int32_t>(in.a, i) < 0 ? -1 : 0),
    EACH("abs_ps", uint32_t, 16, at<uint32_t>(in.a, i) & 0x7fffffff),
    EACH("cvtps_ph", uint16_t, 16, round_to_half(at<float>(in.a, i))),
    EACH("roundscale_ps 8", float, 16, std::nearbyint(at<float>(in.a, i))),
    EACH("roundscale_ps 9", float, 16, std::floor(at<float>(in.a, i))),
    EACH("roundscale_ps 10", float, 16, std::ceil(at<float>(in.a, i))),
    EACH("roundscale_ps 11", float, 16, std::trunc(at<float>(in.a, i))),
    EACH("roundscale_ps 0x38", float, 16, std::nearbyint((double)at<float>(in.a, i) * 8) / 8),
    EACH("scalef_ps", float, 16, std::ldexp((double)at<float>(in.a, i), at<int32_t>(in.b, i) >> 23)),
    EACH("cvtneps_pbh", uint16_t, 16, round_to_bf16(at<float>(in.a, i))),
    EACH("cvtne2ps_pbh", uint16_t, 32, round_to_bf16(at<float>(i < 16 ? in.b : in.a, i % 16))),
    EACH("dpbf16_ps", float, 16,
         normal(std::fma(
             bf16(at<uint16_t>(in.b, 2 * i)), bf16(at<uint16_t>(in.c, 2 * i)),
             normal(std::fma(bf16(at<uint16_t>(in.b, 2 * i + 1)), bf16(at<uint16_t>(in.c, 2 * i + 1)), normal(at<float>(in.a, i))))))),
    EACH("cvtepu16_ph", uint16_t, 32, round_to_half(at<uint16_t>(in.a, i))),
    EACH("cvtepi16_ph", uint16_t, 32, round_to_half(at<int16_t>(in.a, i))),
    {"add_ph", [](const Inputs& in, Output& out) { halves(in, out, [](double x, double y, double) { return x + y; }); }},
    {"sub_ph", [](const Inputs& in, Output& out) { halves(in, out, [](double x, double y, double) { return x - y; }); }},
    {"mul_ph", [](const Inputs& in, Output& out) { halves(in, out, [](double x, double y, double) { return x * y; }); }},
    {"fmadd_ph", [](const Inputs& in, Output& out) { halves(in, out, [](double x, double y, double z) { return x * y + z; }); }},
    {"dpbf16ps", tile_bf16},
    {"dpbssd", tile_bytes<int8_t, int8_t>},
    {"dpbsud", tile_bytes<int8_t, uint8_t>},
    {"dpbusd", tile_bytes<uint8_t, int8_t>},
    {"dpbuud", tile_bytes<uint8_t, uint8_t>},
};

}  // namespace

std::span<const Case> definitions() { return all; }
