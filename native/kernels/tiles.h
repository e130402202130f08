// The matrix unit's tiles: rows of 64 bytes.
#pragma once
#include "inline.h"

#if defined(__AMX_BF16__)

namespace longra::LONGRA_ISA {

// rows(i): of tile i. Tiles are zero afterwards; _tile_release gives them back.
template <class Rows>
LONGRA_INLINE void configure_tiles(const Rows& rows) {
  struct alignas(64) {
    uint8_t palette = 1, start = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};
  } config;
  for (int i = 0; i < 8; i++) config.row_bytes[i] = 64, config.rows[i] = rows(i);
  _tile_loadconfig(&config);
}

}  // namespace longra::LONGRA_ISA

#endif
