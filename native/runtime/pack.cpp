#include "pack.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <vector>

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

uint16_t to_half(float f) {  // to the nearest even; infinity beyond 65,504
  uint32_t bits;
  memcpy(&bits, &f, 4);
  const uint32_t sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  if (bits >= 0x47800000) return (uint16_t)(sign | 0x7c00);
  if (bits < 0x38800000) {  // subnormal: the addition rounds
    float magnitude;
    memcpy(&magnitude, &bits, 4);
    return (uint16_t)(sign | (uint32_t)lrintf(magnitude * 0x1p24f));
  }
  bits += 0xfff + (bits >> 13 & 1);
  return (uint16_t)(sign | ((bits - 0x38000000) >> 13));
}

uint16_t to_bf16(float f) {
  uint32_t bits;
  memcpy(&bits, &f, 4);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// A row before it is packed: codes, and a scale and an offset for each group, w = (code - zero) * scale + offset.
struct Row {
  std::vector<uint8_t> codes;
  std::vector<float> scales, offsets;
};

enum class Kind { F64, F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS };

constexpr struct {
  const char* name;
  Kind kind;
  Format format;
} kKinds[] = {
    {"F64", Kind::F64, Format::B16},           {"F32", Kind::F32, Format::B16},
    {"F16", Kind::F16, Format::B16},           {"BF16", Kind::BF16, Format::B16},
    {"Q8_0", Kind::Q8_0, Format::Q8},          {"Q4_0", Kind::Q4_0, Format::Q4},
    {"Q4_1", Kind::Q4_1, Format::Q4Offset},    {"Q5_0", Kind::Q5_0, Format::Q5},
    {"Q5_1", Kind::Q5_1, Format::Q5Offset},    {"Q2_K", Kind::Q2_K, Format::Q4FineOffset},
    {"Q3_K", Kind::Q3_K, Format::Q4Fine},      {"Q4_K", Kind::Q4_K, Format::Q4Offset},
    {"Q5_K", Kind::Q5_K, Format::Q5Offset},    {"Q6_K", Kind::Q6_K, Format::Q6Fine},
    {"IQ4_NL", Kind::IQ4_NL, Format::Q4Table}, {"IQ4_XS", Kind::IQ4_XS, Format::Q4Table},
};

const auto& find(const std::string& name) {
  for (const auto& k : kKinds)
    if (name == k.name) return k;
  throw std::invalid_argument("no kernel reads weights of type " + name);
}

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

// One stored row's blocks into codes, scales and offsets.
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

template <class L>
void row_to_floats(const Row& row, int inputs, float* x) {
  for (int k = 0; k < inputs; k++) {
    const int g = k / L::group, q = L::has_table ? kTable[row.codes[k]] : row.codes[k];
    x[k] = (float)(q - L::zero) * row.scales[g] + (L::has_offset ? row.offsets[g] : 0.0f);
  }
}

// 8 bits, symmetric: scale = largest / 127, the rounding to the nearest.
void quantise_q8(const float* x, int n, uint8_t* codes, float& scale) {
  float top = 0;
  for (int i = 0; i < n; i++) top = std::fmax(top, std::fabs(x[i]));
  scale = top / 127;
  for (int i = 0; i < n; i++) codes[i] = (uint8_t)(128 + (scale > 0 ? lrintf(x[i] / scale) : 0));
}

// 4 bits with an offset: of a few ranges inside the group's own, the one of least squared error; scale and offset by least
// squares for its codes.
void quantise_q4(const float* x, int n, uint8_t* codes, float& scale, float& offset) {
  float low = x[0], high = x[0];
  for (int i = 1; i < n; i++) low = std::fmin(low, x[i]), high = std::fmax(high, x[i]);
  scale = 0;
  offset = low;
  for (int i = 0; i < n; i++) codes[i] = 8;
  if (high == low) return;
  float best = INFINITY;
  uint8_t tried[32];
  for (int step = 0; step <= 8; step++) {
    const float shrink = (high - low) * 0.02f * (float)step / 2, first = low + shrink, s = (high - low - 2 * shrink) / 15;
    float sq = 0, sqq = 0, sx = 0, sqx = 0;
    for (int i = 0; i < n; i++) {
      const float q = std::fmin(15.0f, std::fmax(0.0f, rintf((x[i] - first) / s))) - 8;
      tried[i] = (uint8_t)(q + 8);
      sq += q, sqq += q * q, sx += x[i], sqx += q * x[i];
    }
    const float det = sqq * (float)n - sq * sq;
    if (det <= 0) continue;
    const float a = (sqx * (float)n - sq * sx) / det, b = (sqq * sx - sq * sqx) / det;
    float error = 0;
    for (int i = 0; i < n; i++) {
      const float d = a * (float)(tried[i] - 8) + b - x[i];
      error += d * d;
    }
    if (error < best) {
      best = error;
      scale = a;
      offset = b;
      memcpy(codes, tried, n);
    }
  }
}

void quantise_row(Format target, const float* x, int inputs, Row& row) {
  for (int g = 0; g * 32 < inputs; g++) {
    const int n = inputs - g * 32 < 32 ? inputs - g * 32 : 32;
    if (target == Format::Q8)
      quantise_q8(x + g * 32, n, &row.codes[g * 32], row.scales[g]);
    else
      quantise_q4(x + g * 32, n, &row.codes[g * 32], row.scales[g], row.offsets[g]);
  }
}

void put_half(uint8_t* at, float value, bool& overflow) {
  const uint16_t h = to_half(value / kUnit);
  overflow |= (h & 0x7c00) == 0x7c00;
  memcpy(at, &h, 2);
}

void put(uint8_t* at, uint32_t word) { memcpy(at, &word, 4); }

uint32_t word(uint8_t b0, uint8_t b1, uint8_t b2, uint8_t b3) {
  const uint8_t bytes[4] = {b0, b1, b2, b3};
  uint32_t value;
  memcpy(&value, bytes, 4);
  return value;
}

// 32 codes of a row into half `half` of its superblock; `at` is the row's lane in the first line.
template <class L>
void place_codes(const uint8_t* c, int half, uint8_t* at) {
  uint32_t fifth = 0, upper[2] = {};
  for (int j = 0; j < 4; j++, c += 8) {
    const uint32_t a = word(c[0], c[4], c[1], c[5]), b = word(c[2], c[6], c[3], c[7]);
    if constexpr (L::bits == 8) {
      put(at + half * 512 + 2 * j * 64, a);
      put(at + half * 512 + (2 * j + 1) * 64, b);
    } else {
      put(at + half * 256 + j * 64, (a & 0x0f0f0f0f) | (b & 0x0f0f0f0f) << 4);
      if constexpr (L::bits == 5) fifth |= ((a >> 4 & 0x01010101) | (b >> 4 & 0x01010101) << 1) << (2 * j);
      if constexpr (L::bits == 6) upper[j / 2] |= ((a >> 4 & 0x03030303) | (b >> 4 & 0x03030303) << 2) << (4 * (j % 2));
    }
  }
  if constexpr (L::bits == 5) put(at + 512 + half * 64, fifth);
  if constexpr (L::bits == 6)
    for (int i = 0; i < 2; i++) put(at + 512 + half * 128 + i * 64, upper[i]);
}

// Row `lane` of a block of superblocks.
template <class L>
bool place(const Row& row, int inputs, int lane, uint8_t* block) {
  bool overflow = false;
  const int superblocks = (inputs + kBlockInputs - 1) / kBlockInputs, groups = (inputs + L::group - 1) / L::group;
  for (int s = 0; s < superblocks; s++, block += L::bytes) {
    for (int g = 0; g < L::groups; g++) {
      const int group = s * L::groups + g;
      if (group >= groups) break;
      put_half(block + L::scales_at + g * 32 + lane * 2, row.scales[group], overflow);
      if constexpr (L::has_offset) put_half(block + L::offsets_at + g * 32 + lane * 2, row.offsets[group], overflow);
    }
    for (int half = 0; half < 2; half++) place_codes<L>(row.codes.data() + s * kBlockInputs + half * 32, half, block + lane * 4);
  }
  return !overflow;
}

void place_floats(Format format, const float* x, int inputs, int lane, uint8_t* block) {
  for (int k = 0; k < inputs; k++) {
    if (format == Format::F32) {
      memcpy(block + (size_t)k * 64 + lane * 4, x + k, 4);
    } else {
      const uint16_t h = to_bf16(x[k]);
      memcpy(block + (size_t)(k / 2) * 64 + lane * 4 + k % 2 * 2, &h, 2);
    }
  }
}

bool is_float(Kind kind) { return kind == Kind::F64 || kind == Kind::F32 || kind == Kind::F16 || kind == Kind::BF16; }

}  // namespace

Format format_of(const std::string& kind) { return find(kind).format; }

void pack(const std::string& name, const uint8_t* stored, size_t row_bytes, const Matrix& matrix, uint8_t* out, Pool& pool) {
  const auto& found = find(name);
  const Kind kind = found.kind;
  const bool same = !is_float(kind) && found.format == matrix.format;
  std::atomic<bool> fits{true};
  auto pack_rows = [&](int thread) {
    const int padded = matrix.input_blocks() * kBlockInputs;
    Row row{std::vector<uint8_t>(padded), std::vector<float>(padded / 16), std::vector<float>(padded / 16)};
    std::vector<float> x(padded);
    const Share blocks = share(matrix.row_blocks(), thread, pool.threads());
    for (int r = blocks.begin * kBlockRows; r < blocks.end * kBlockRows && r < matrix.rows; r++) {
      const uint8_t* p = stored + r * row_bytes;
      uint8_t* block = out + r / kBlockRows * matrix.block_bytes();
      if (is_float(kind))
        read_floats(kind, p, matrix.inputs, x.data());
      else
        read_row(kind, p, matrix.inputs, row);
      if (!same) {
        if (!is_float(kind)) with_layout(found.format, [&]<class L>() { row_to_floats<L>(row, matrix.inputs, x.data()); });
        if (!is_quantised(matrix.format)) {
          place_floats(matrix.format, x.data(), matrix.inputs, r % kBlockRows, block);
          continue;
        }
        quantise_row(matrix.format, x.data(), matrix.inputs, row);
      }
      if (!with_layout(matrix.format, [&]<class L>() { return place<L>(row, matrix.inputs, r % kBlockRows, block); })) fits = false;
    }
  };
  pool.run(pack_rows);
  if (!fits) throw std::range_error("a weight is larger than 1,000, which packed scales cannot hold");
}

}  // namespace longra
