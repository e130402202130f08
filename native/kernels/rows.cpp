// Work on single float rows: norms, activations, sums. Widths are rounded up to 16; what lies beyond a width is zero.
#include "../runtime/kernels.h"
#include "activation.h"
#include "simd.h"
#include "unpack.h"

namespace longra::LONGRA_ISA {

namespace {
int padded(int width) { return (width + 15) / 16 * 16; }
}  // namespace

void rms_norm(const float* x, const float* weight, float shift, float eps, int width, float* y) {
  const int whole = width / 16 * 16;
  Floats squares = zero();
  for (int i = 0; i < whole; i += 16) squares = fma(load(x + i), load(x + i), squares);
  float total = sum(squares);
  for (int i = whole; i < width; i++) total += x[i] * x[i];
  const float factor = 1.0f / sqrtf(total / (float)width + eps);
  for (int i = 0; i < whole; i += 16) store(y + i, load(x + i) * splat(factor) * (load(weight + i) + splat(shift)));
  for (int i = whole; i < width; i++) y[i] = x[i] * factor * (weight[i] + shift);
}

void layer_norm(const float* x, const float* weight, const float* bias, float eps, int width, float* y) {
  const int whole = width / 16 * 16;
  Floats totals = zero();
  for (int i = 0; i < whole; i += 16) totals = totals + load(x + i);
  float total = sum(totals);
  for (int i = whole; i < width; i++) total += x[i];
  const float mean = total / (float)width;
  Floats squares = zero();
  for (int i = 0; i < whole; i += 16) {
    const Floats d = load(x + i) - splat(mean);
    squares = fma(d, d, squares);
  }
  float variance = sum(squares);
  for (int i = whole; i < width; i++) variance += (x[i] - mean) * (x[i] - mean);
  const float factor = 1.0f / sqrtf(variance / (float)width + eps);
  for (int i = 0; i < whole; i += 16) {
    const Floats v = (load(x + i) - splat(mean)) * splat(factor) * load(weight + i);
    store(y + i, bias ? v + load(bias + i) : v);
  }
  for (int i = whole; i < width; i++) y[i] = (x[i] - mean) * factor * weight[i] + (bias ? bias[i] : 0.0f);
}

void activate(Activate kind, const float* x, const float* gate_with, int width, float* y) {
  for (int i = 0; i < padded(width); i += 16) {
    const Floats v = activated(kind, load(x + i));
    store(y + i, gate_with ? v * load(gate_with + i) : v);
  }
}

void add(const float* x, int width, float* y) {
  for (int i = 0; i < padded(width); i += 16) store(y + i, load(y + i) + load(x + i));
}

void multiply(const float* x, int width, float* y) {
  for (int i = 0; i < padded(width); i += 16) store(y + i, load(y + i) * load(x + i));
}

// Turn the first pairs of channels of a head by the angles whose cosines and sines are given.
void rotate(float* x, const float* cosines, const float* sines, int pairs, bool interleaved) {
  const int step = interleaved ? 2 : 1, apart = interleaved ? 1 : pairs;
  int i = 0;
  for (; !interleaved && i + 16 <= pairs; i += 16) {
    const Floats a = load(x + i), b = load(x + pairs + i), cosine = load(cosines + i), sine = load(sines + i);
    store(x + i, a * cosine - b * sine);
    store(x + pairs + i, b * cosine + a * sine);
  }
  for (; i < pairs; i++) {
    const float a = x[i * step], b = x[i * step + apart];
    x[i * step] = a * cosines[i] - b * sines[i];
    x[i * step + apart] = b * cosines[i] + a * sines[i];
  }
}

// One row of a packed matrix as floats, times scale.
void embed(const Matrix& table, int row, float scale, float* y) {
  const int lane = row % kBlockRows, size = superblock_bytes(table.format);
  const uint8_t* p = table.data + row / kBlockRows * table.block_bytes();
  alignas(64) float lines[32 * 16];
  const auto unpack = pick<UnpackFloats>(table.format);
  for (int s = 0; s < table.input_blocks(); s++, p += size)
    for (int half = 0; half < 2; half++) {
      unpack(p, half, lines);
      const int first = s * kBlockInputs + half * 32;
      for (int k = 0; k < 32 && first + k < table.inputs; k++) y[first + k] = lines[k * 16 + lane] * scale;
    }
}

}  // namespace longra::LONGRA_ISA
