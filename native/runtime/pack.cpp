#include "pack.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "share.h"
#include "stored.h"

namespace longra {

namespace {

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

}  // namespace

Format format_of(const std::string& kind) { return stored_type(kind).format; }

void pack(const std::string& name, const uint8_t* stored, size_t row_bytes, const Matrix& matrix, uint8_t* out, Pool& pool) {
  const StoredType& found = stored_type(name);
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
