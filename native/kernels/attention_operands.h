// Keys and values as bf16 operands of the matrix unit: where they lie in bf16 pages, or made from 8-bit pages in scratch.
#pragma once
#include "cache.h"

namespace longra::LONGRA_ISA {

struct Operands {
  const uint16_t *keys, *values;  // of one page, laid out as in a bf16 page (runtime/cache.h)
};

inline size_t operand_floats(const CacheShape& shape) {
  return (size_t)kPageTokens * (shape.k_width() > shape.v_width() ? shape.k_width() : shape.v_width());
}
inline size_t operand_numbers(const CacheShape& shape) { return (size_t)kPageTokens * (shape.k_width() + shape.v_width()); }

// Two rows of sixteen as bf16 pairs, to the nearest even.
LONGRA_INLINE void store_pairs(uint16_t* out, const float* first, const float* second) {
  store_line(out, right32<16>(rounded_to_bf16(load(first))) | (rounded_to_bf16(load(second)) & splat_int((int32_t)0xffff0000)));
}

// Space: `floats` [operand_floats], `numbers` [operand_numbers]; unused where the page is bf16.
static inline Operands page_operands(const CacheShape& shape, const uint8_t* head, float* floats, uint16_t* numbers) {
  if (shape.kind == CacheKind::B16) return {(const uint16_t*)head, (const uint16_t*)(head + shape.key_bytes())};
  const int tiles = shape.v_width() / 16;
  uint16_t* values = numbers + (size_t)kPageTokens * shape.k_width();
  Ahead nothing;
  const float* x = unpack_keys(shape, head, nothing, floats);
  for (int pair = 0; pair < kPageTokens / 16 * shape.k_width() / 2; pair++)
    store_pairs(numbers + pair * 32, x + pair * 32, x + pair * 32 + 16);
  x = unpack_values(shape, head, nothing, floats);
  for (int half = 0; half < 2; half++)
    for (int d = 0; d < tiles; d++)
      for (int pair = 0; pair < 16; pair++) {
        const float* row = x + (d * kPageTokens + slot_of(half * 32 + pair * 2)) * 16;
        store_pairs(values + ((half * tiles + d) * 16 + pair) * 32, row, row + 16);
      }
  return {numbers, values};
}

}  // namespace longra::LONGRA_ISA
