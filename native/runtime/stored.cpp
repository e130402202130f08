#include "stored.h"

#include <cstring>
#include <stdexcept>

namespace longra {

namespace {

float half(const uint8_t* p) {
  uint16_t h;
  memcpy(&h, p, 2);
  const uint32_t exponent = h >> 10 & 31, mantissa = h & 1023;
  float value;
  if (exponent == 0) {
    value = (float)mantissa * 0x1p-24f;
  } else {
    const uint32_t bits = exponent == 31 ? 0x7f800000u | mantissa << 13 : (exponent + 112) << 23 | mantissa << 13;
    memcpy(&value, &bits, 4);
  }
  return h & 0x8000 ? -value : value;
}

constexpr StoredType kTypes[] = {
    {"F64", Kind::F64, Format::B16},           {"F32", Kind::F32, Format::B16},
    {"F16", Kind::F16, Format::B16},           {"BF16", Kind::BF16, Format::B16},
    {"Q8_0", Kind::Q8_0, Format::Q8},          {"Q4_0", Kind::Q4_0, Format::Q4},
    {"Q4_1", Kind::Q4_1, Format::Q4Offset},    {"Q5_0", Kind::Q5_0, Format::Q5},
    {"Q5_1", Kind::Q5_1, Format::Q5Offset},    {"Q2_K", Kind::Q2_K, Format::Q4FineOffset},
    {"Q3_K", Kind::Q3_K, Format::Q4Fine},      {"Q4_K", Kind::Q4_K, Format::Q4Offset},
    {"Q5_K", Kind::Q5_K, Format::Q5Offset},    {"Q6_K", Kind::Q6_K, Format::Q6Fine},
    {"IQ4_NL", Kind::IQ4_NL, Format::Q4Table}, {"IQ4_XS", Kind::IQ4_XS, Format::Q4Table},
};

// 6-bit scale and minimum j of a Q4_K or Q5_K block (ggml's get_scale_min_k4).
void scale_min(const uint8_t* q, int j, int& scale, int& minimum) {
  if (j < 4) {
    scale = q[j] & 63;
    minimum = q[j + 4] & 63;
  } else {
    scale = (q[j + 4] & 15) | (q[j - 4] >> 6) << 4;
    minimum = (q[j + 4] >> 4) | (q[j] >> 6) << 4;
  }
}

uint64_t load8(const uint8_t* p) {
  uint64_t x;
  memcpy(&x, p, 8);
  return x;
}

void nibbles(const uint8_t* q, int n, uint8_t* codes) {  // n low nibbles, then n high ones
  for (int i = 0; i < n; i++) codes[i] = q[i] & 15;
  for (int i = 0; i < n; i++) codes[n + i] = q[i] >> 4;
}

constexpr uint64_t kOnes = 0x0101010101010101;

void fifth_bits(const uint8_t* p, uint8_t* codes) {  // bit i of p is bit 4 of code i; eight at a time
  for (int i = 0; i < 4; i++) {
    const uint64_t picked = p[i] * kOnes & 0x8040201008040201, bits = (picked + 0x7f * kOnes) >> 7 & kOnes;
    const uint64_t whole = load8(codes + 8 * i) | bits << 4;
    memcpy(codes + 8 * i, &whole, 8);
  }
}

}  // namespace

const StoredType& stored_type(const std::string& name) {
  for (const StoredType& type : kTypes)
    if (name == type.name) return type;
  throw std::invalid_argument("no kernel reads weights of type " + name);
}

void read_row(Kind kind, const uint8_t* p, int inputs, Row& row) {
  uint8_t* c = row.codes.data();
  float *s = row.scales.data(), *o = row.offsets.data();
  switch (kind) {
    case Kind::Q8_0:
      for (int b = 0; b < inputs / 32; b++, p += 34, c += 32) {
        *s++ = half(p);
        for (int i = 0; i < 32; i++) c[i] = (uint8_t)(p[2 + i] ^ 0x80);
      }
      return;
    case Kind::Q4_0:
    case Kind::IQ4_NL:
      for (int b = 0; b < inputs / 32; b++, p += 18, c += 32) {
        *s++ = half(p);
        nibbles(p + 2, 16, c);
      }
      return;
    case Kind::Q4_1:
      for (int b = 0; b < inputs / 32; b++, p += 20, c += 32) {
        *s++ = half(p);
        *o++ = half(p + 2) + 8 * half(p);
        nibbles(p + 4, 16, c);
      }
      return;
    case Kind::Q5_0:
      for (int b = 0; b < inputs / 32; b++, p += 22, c += 32) {
        *s++ = half(p);
        nibbles(p + 6, 16, c);
        fifth_bits(p + 2, c);
      }
      return;
    case Kind::Q5_1:
      for (int b = 0; b < inputs / 32; b++, p += 24, c += 32) {
        *s++ = half(p);
        *o++ = half(p + 2) + 16 * half(p);
        nibbles(p + 8, 16, c);
        fifth_bits(p + 4, c);
      }
      return;
    case Kind::Q2_K:
      for (int b = 0; b < inputs / 256; b++, p += 84) {
        const float d = half(p + 80), m = half(p + 82);
        for (int g = 0; g < 16; g++) {
          const float scale = d * (float)(p[g] & 15);
          *s++ = scale;
          *o++ = 8 * scale - m * (float)(p[g] >> 4);
        }
        for (int h = 0; h < 2; h++)
          for (int shift = 0; shift < 8; shift += 2, c += 32)
            for (int i = 0; i < 32; i++) c[i] = p[16 + h * 32 + i] >> shift & 3;
      }
      return;
    case Kind::Q3_K:
      for (int b = 0; b < inputs / 256; b++, p += 110) {
        const float d = half(p + 108);
        const uint8_t* q = p + 96;
        for (int g = 0; g < 16; g++) {
          const int low = g < 8 ? q[g] & 15 : q[g - 8] >> 4, high = q[8 + g % 4] >> (g / 4 * 2) & 3;
          *s++ = d * (float)((low | high << 4) - 32);
        }
        for (int h = 0; h < 2; h++)
          for (int j = 0; j < 4; j++, c += 32)
            for (int i = 0; i < 32; i++)
              c[i] = (uint8_t)((p[32 + h * 32 + i] >> (2 * j) & 3) + (p[i] >> (h * 4 + j) & 1) * 4 + 4);  // (q - 4) + 8
      }
      return;
    case Kind::Q4_K:
    case Kind::Q5_K:
      for (int b = 0; b < inputs / 256; b++, p += kind == Kind::Q4_K ? 144 : 176) {
        const float d = half(p), m = half(p + 2);
        const uint8_t* q = p + (kind == Kind::Q4_K ? 16 : 48);
        const float zero = kind == Kind::Q4_K ? 8 : 16;
        for (int g = 0; g < 8; g++) {
          int scale, minimum;
          scale_min(p + 4, g, scale, minimum);
          *s++ = d * (float)scale;
          *o++ = zero * d * (float)scale - m * (float)minimum;
        }
        for (int j = 0; j < 4; j++, c += 64, q += 32) {
          nibbles(q, 32, c);
          if (kind == Kind::Q5_K)
            for (int h = 0; h < 2; h++)
              for (int i = 0; i < 32; i++) c[32 * h + i] |= (p[16 + i] >> (2 * j + h) & 1) << 4;
        }
      }
      return;
    case Kind::Q6_K:
      for (int b = 0; b < inputs / 256; b++, p += 210) {
        const float d = half(p + 208);
        for (int g = 0; g < 16; g++) *s++ = d * (float)(int8_t)p[192 + g];
        for (int h = 0; h < 2; h++, c += 128) {
          const uint8_t *low = p + h * 64, *high = p + 128 + h * 32;
          for (int i = 0; i < 32; i++) {
            c[i] = (low[i] & 15) | (high[i] & 3) << 4;
            c[i + 32] = (low[i + 32] & 15) | (high[i] >> 2 & 3) << 4;
            c[i + 64] = low[i] >> 4 | (high[i] >> 4 & 3) << 4;
            c[i + 96] = low[i + 32] >> 4 | (high[i] >> 6) << 4;
          }
        }
      }
      return;
    case Kind::IQ4_XS:
      for (int b = 0; b < inputs / 256; b++, p += 136) {
        const float d = half(p);
        uint16_t high;
        memcpy(&high, p + 2, 2);
        for (int g = 0; g < 8; g++, c += 32) {
          const int scale = (p[4 + g / 2] >> (4 * (g % 2)) & 15) | (high >> (2 * g) & 3) << 4;
          *s++ = d * (float)(scale - 32);
          nibbles(p + 8 + g * 16, 16, c);
        }
      }
      return;
    default: return;
  }
}

void read_floats(Kind kind, const uint8_t* p, int inputs, float* x) {
  for (int i = 0; i < inputs; i++) {
    if (kind == Kind::F32)
      memcpy(x + i, p + 4 * i, 4);
    else if (kind == Kind::F16)
      x[i] = half(p + 2 * i);
    else if (kind == Kind::BF16) {
      const uint32_t bits = (uint32_t)(p[2 * i] | p[2 * i + 1] << 8) << 16;
      memcpy(x + i, &bits, 4);
    } else {
      double value;
      memcpy(&value, p + 8 * i, 8);
      x[i] = (float)value;
    }
  }
}

}  // namespace longra
