// Pages as float32, for kernels that multiply floats: keys [4 tiles][k_width][16 tokens], values [v_width / 16][64][16 dims],
// both in the order of slots (runtime/cache.h).
#pragma once
#include "../runtime/cache.h"
#include "read_ahead.h"
#include "simd.h"

namespace longra::LONGRA_ISA {

constexpr int kLinesAStep = 8;  // unpacked between two steps of reading ahead

// Byte N of each lane, signed.
template <int N>
LONGRA_INLINE Floats byte_of_lane(Ints line) {
  return to_floats(right32_signed<24>(left32<24 - 8 * N>(line)));
}

LONGRA_INLINE void unpack_bf16(const uint8_t* line, float* out) {
  const Ints pairs = load_line(line);
  store(out, low_bf16(pairs));
  store(out + 16, high_bf16(pairs));
}

LONGRA_INLINE void unpack_q8(const uint8_t* line, const Floats scales[4], float* out) {
  const Ints codes = load_line(line);
  store(out, byte_of_lane<0>(codes) * scales[0]);
  store(out + 16, byte_of_lane<1>(codes) * scales[1]);
  store(out + 32, byte_of_lane<2>(codes) * scales[2]);
  store(out + 48, byte_of_lane<3>(codes) * scales[3]);
}

// Returns where the keys are: in the page itself where they are float32 already, else in `out`.
static inline const float* unpack_keys(const CacheShape& shape, const uint8_t* head, Ahead& ahead, float* out) {
  const int width = shape.k_width();
  if (shape.kind == CacheKind::F32) return (const float*)head;
  if (shape.kind == CacheKind::B16) {
    for (int i = 0; i < kPageTokens * width / 32; i++) {
      if (i % kLinesAStep == 0) Ahead::step(ahead);
      unpack_bf16(head + i * 64, out + i * 32);
    }
    return out;
  }
  const uint8_t* scales = head + shape.key_codes();
  for (int i = 0; i < shape.k_groups() * 4; i++) {
    const Floats s = load_half((const uint16_t*)(scales + i * 32));
    const Floats same[4] = {s, s, s, s};
    for (int line = i * kKeyGroup / 4; line < (i + 1) * kKeyGroup / 4; line++) {
      if (line % kLinesAStep == 0) Ahead::step(ahead);
      unpack_q8(head + line * 64, same, out + line * 64);
    }
  }
  return out;
}

static inline const float* unpack_values(const CacheShape& shape, const uint8_t* head, Ahead& ahead, float* out) {
  const int tiles = shape.v_width() / 16;
  const uint8_t* values = head + shape.key_bytes();
  if (shape.kind == CacheKind::F32) return (const float*)values;
  if (shape.kind == CacheKind::B16) {
    for (int half = 0; half < 2; half++)
      for (int d = 0; d < tiles; d++)
        for (int pair = 0; pair < 16; pair++) {
          const int line = (half * tiles + d) * 16 + pair;
          if (line % kLinesAStep == 0) Ahead::step(ahead);
          unpack_bf16(values + line * 64, out + (d * kPageTokens + slot_of(half * 32 + pair * 2)) * 16);
        }
    return out;
  }
  alignas(64) float scales[kPageTokens];
  for (int d = 0; d < tiles; d++) {
    if (d * 16 % kValueGroup == 0)
      for (int i = 0; i < kPageTokens; i += 16)
        store(scales + i, load_half((const uint16_t*)(values + shape.value_codes()) + d * 16 / kValueGroup * kPageTokens + i));
    for (int quad = 0; quad < kPageTokens / 4; quad++) {
      const float* s = scales + quad * 4;
      const Floats each[4] = {splat(s[0]), splat(s[1]), splat(s[2]), splat(s[3])};
      const int line = d * 16 + quad;
      if (line % kLinesAStep == 0) Ahead::step(ahead);
      unpack_q8(values + line * 64, each, out + line * 64);
    }
  }
  return out;
}

}  // namespace longra::LONGRA_ISA
