// A token's key and value enter their page, quantised as they do.
#include "cache.h"

#include "../runtime/kernels.h"

namespace longra::LONGRA_ISA {

namespace {

// fp16 of a scale, not below it, so that no code exceeds 127; scales too small for fp16 become its smallest number.
uint16_t scale_up(float scale) {
  if (!(scale < 65504.0f)) return 0x7bff;
  uint16_t h;
  if (scale < 0x1p-14f) {
    h = (uint16_t)ceilf(scale * 0x1p24f);
  } else {
    uint32_t bits;
    memcpy(&bits, &scale, 4);
    h = (uint16_t)((bits - 0x38000000 + 0x1fff) >> 13);
  }
  return h;
}

// Codes of `count` numbers under one scale, `step` bytes apart; returns the scale.
uint16_t quantise_group(const float* x, int count, uint8_t* codes, size_t (*at)(int)) {
  float largest = 0;
  for (int i = 0; i < count; i++) largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest;
  const uint16_t half = scale_up(largest / 127);
  alignas(32) uint16_t halves[16] = {half};
  float scale[16];
  store(scale, load_half(halves));
  const float inverse = half ? 1.0f / scale[0] : 0.0f;
  for (int i = 0; i < count; i++) {
    const float code = rintf(x[i] * inverse);
    codes[at(i)] = (uint8_t)(int8_t)(code > 127 ? 127 : code > -127 ? code : -127);
  }
  return half;
}

void write_q8(const CacheShape& shape, uint8_t* head, int token, const float* k, const float* v) {
  const int tile = tile_of(token), lane = lane_of(token), slot = slot_of(token), dim = shape.head_dim;
  auto* key_scales = (uint16_t*)(head + shape.key_codes()) + tile * shape.k_groups() * 16 + lane;
  uint8_t* keys = head + (size_t)tile * shape.k_width() * 16 + lane * 4;
  for (int d = 0; d < dim; d += kKeyGroup)
    key_scales[d / kKeyGroup * 16] =
        quantise_group(k + d, dim - d < kKeyGroup ? dim - d : kKeyGroup, keys + d * 16, [](int i) { return (size_t)(i / 4 * 64 + i % 4); });
  uint8_t* values = head + shape.key_bytes() + slot / 4 * 64 + slot % 4;
  auto* value_scales = (uint16_t*)(head + shape.key_bytes() + shape.value_codes()) + slot;
  for (int d = 0; d < dim; d += kValueGroup)
    value_scales[d / kValueGroup * kPageTokens] =
        quantise_group(v + d, dim - d < kValueGroup ? dim - d : kValueGroup, values + d / 16 * 1024,
                       [](int i) { return (size_t)(i / 16 * 1024 + i % 16 * 4); });
}

void write_bf16(const CacheShape& shape, uint8_t* head, int token, const float* k, const float* v) {
  uint16_t* keys = (uint16_t*)head + (size_t)tile_of(token) * shape.k_width() * 16 + lane_of(token) * 2;
  uint16_t* values = (uint16_t*)(head + shape.key_bytes()) + (size_t)(token / 32) * shape.v_width() * 32 + token % 32 / 2 * 32 + token % 2;
  int d = 0;
  for (; d + 16 <= shape.head_dim; d += 16) {
    uint32_t x[16];
    store_line(x, rounded_to_bf16(load(k + d)));
    for (int i = 0; i < 8; i++) {
      const uint32_t pair = x[2 * i] >> 16 | (x[2 * i + 1] & 0xffff0000);
      memcpy(keys + (d / 2 + i) * 32, &pair, 4);
    }
    store_line(x, rounded_to_bf16(load(v + d)));
    for (int i = 0; i < 16; i++) values[d / 16 * 512 + i * 2] = (uint16_t)(x[i] >> 16);
  }
  for (; d < shape.head_dim; d++) {
    keys[d / 2 * 32 + d % 2] = float_to_bf16(k[d]);
    values[d / 16 * 512 + d % 16 * 2] = float_to_bf16(v[d]);
  }
}

void write_f32(const CacheShape& shape, uint8_t* head, int token, const float* k, const float* v) {
  float* keys = (float*)head + (size_t)tile_of(token) * shape.k_width() * 16 + lane_of(token);
  float* values = (float*)(head + shape.key_bytes()) + slot_of(token) * 16;
  for (int d = 0; d < shape.head_dim; d++) {
    keys[d * 16] = k[d];
    values[d / 16 * kPageTokens * 16 + d % 16] = v[d];
  }
}

}  // namespace

void cache_write(const CacheShape& shape, uint8_t* head, int token, const float* k, const float* v) {
  switch (shape.kind) {
    case CacheKind::F32: return write_f32(shape, head, token, k, v);
    case CacheKind::B16: return write_bf16(shape, head, token, k, v);
    case CacheKind::Q8: return write_q8(shape, head, token, k, v);
  }
}

}  // namespace longra::LONGRA_ISA
