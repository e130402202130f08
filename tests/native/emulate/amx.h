// Emulated AMX: eight tiles a thread, of up to 16 rows of 64 bytes. What the processor would fault on ends the program.
#pragma once
#include "half.h"

#undef _tile_dpbf16ps
#undef _tile_dpbssd
#undef _tile_dpbsud
#undef _tile_dpbusd
#undef _tile_dpbuud
#undef _tile_loadconfig
#undef _tile_loadd
#undef _tile_release
#undef _tile_storeconfig
#undef _tile_stored
#undef _tile_stream_loadd
#undef _tile_zero

namespace longra {

struct TileSettings {
  uint8_t palette, start, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
};
static_assert(sizeof(TileSettings) == 64);

struct Tile512 {
  alignas(64) uint8_t row[16][64];
};

struct TileUnit {
  TileSettings settings;
  Tile512 tiles[8];
};
inline thread_local TileUnit tile_unit{};

inline void need_configured(int t) {
  if (t < 0 || t >= 8) fault("a tile number is out of range");
  if (tile_unit.settings.palette != 1) fault("a tile is used before tiles are configured");
  if (tile_unit.settings.rows[t] == 0) fault("a tile is used that has no rows");
}

inline void _tile_loadconfig(const void* p) {
  TileSettings s;
  std::memcpy(&s, p, sizeof s);
  if (s.palette > 1) fault("an unknown palette");
  for (uint8_t r : s.reserved)
    if (r) fault("a reserved byte of a tile configuration is set");
  for (int t = 0; t < 16; t++) {
    if (s.rows[t] > 16 || s.row_bytes[t] > 64 || (t >= 8 && (s.rows[t] || s.row_bytes[t]))) fault("a tile is configured too large");
    if (!s.rows[t] != !s.row_bytes[t]) fault("a tile is configured with rows or columns alone");
  }
  tile_unit = {};
  if (s.palette) tile_unit.settings = s;
}
inline void _tile_storeconfig(void* p) { std::memcpy(p, &tile_unit.settings, 64); }
inline void _tile_release() { tile_unit = {}; }
inline void _tile_zero(int t) {
  need_configured(t);
  tile_unit.tiles[t] = {};
}
// Bytes and rows beyond the configured ones become zero.
inline void _tile_loadd(int t, const void* p, size_t stride) {
  _tile_zero(t);
  for (int r = 0; r < tile_unit.settings.rows[t]; r++)
    std::memcpy(tile_unit.tiles[t].row[r], (const uint8_t*)p + r * stride, tile_unit.settings.row_bytes[t]);
}
inline void _tile_stream_loadd(int t, const void* p, size_t stride) { _tile_loadd(t, p, stride); }
inline void _tile_stored(int t, void* p, size_t stride) {
  need_configured(t);
  for (int r = 0; r < tile_unit.settings.rows[t]; r++)
    std::memcpy((uint8_t*)p + r * stride, tile_unit.tiles[t].row[r], tile_unit.settings.row_bytes[t]);
}

// Shapes of a product c += a b: [m][n] of 32 bits, [m][k] and [k][n] of 32 bits that hold two or four elements.
struct TileShapes {
  int m, n, k;
};
inline TileShapes product_shapes(int c, int a, int b) {
  for (int t : {c, a, b}) need_configured(t);
  if (c == a || c == b || a == b) fault("a tile product names a tile twice");
  const TileSettings& s = tile_unit.settings;
  if (s.row_bytes[c] % 4 || s.row_bytes[a] % 4 || s.row_bytes[b] % 4) fault("a tile product of incomplete columns");
  if (s.rows[c] != s.rows[a] || s.row_bytes[c] != s.row_bytes[b] || s.row_bytes[a] / 4 != s.rows[b])
    fault("a tile product of wrong shapes");
  return {s.rows[c], s.row_bytes[c] / 4, s.row_bytes[a] / 4};
}

// Even and odd products are summed apart from zero, over k in order, then added, then added to c; denormals count as zero.
inline void _tile_dpbf16ps(int c, int a, int b) {
  const TileShapes s = product_shapes(c, a, b);
  const Tile512 &ta = tile_unit.tiles[a], &tb = tile_unit.tiles[b];
  for (int m = 0; m < s.m; m++) {
    uint16_t x[32];
    float sums[32] = {}, out[16];
    std::memcpy(x, ta.row[m], 64);
    std::memcpy(out, tile_unit.tiles[c].row[m], 64);
    for (int k = 0; k < s.k; k++) {
      uint16_t y[32];
      std::memcpy(y, tb.row[k], 64);
      const float pair[2] = {from_bf16(x[2 * k]), from_bf16(x[2 * k + 1])};
      for (int i = 0; i < 32; i++) sums[i] = flushed(std::fma(pair[i % 2], from_bf16(y[i]), sums[i]));
    }
    for (int n = 0; n < s.n; n++) out[n] = flushed(flushed(out[n]) + flushed(sums[2 * n] + sums[2 * n + 1]));
    std::memcpy(tile_unit.tiles[c].row[m], out, 64);
  }
}

// Sums of 8-bit products wrap.
template <class A, class B>
inline void tile_product_of_bytes(int c, int a, int b) {
  const TileShapes s = product_shapes(c, a, b);
  for (int m = 0; m < s.m; m++) {
    A x[64];
    uint32_t out[16];
    std::memcpy(x, tile_unit.tiles[a].row[m], 64);
    std::memcpy(out, tile_unit.tiles[c].row[m], 64);
    for (int k = 0; k < s.k; k++) {
      B y[64];
      std::memcpy(y, tile_unit.tiles[b].row[k], 64);
      for (int n = 0; n < s.n; n++)
        for (int i = 0; i < 4; i++) out[n] += (uint32_t)((int)x[4 * k + i] * (int)y[4 * n + i]);
    }
    std::memcpy(tile_unit.tiles[c].row[m], out, 64);
  }
}
inline void _tile_dpbssd(int c, int a, int b) { tile_product_of_bytes<int8_t, int8_t>(c, a, b); }
inline void _tile_dpbsud(int c, int a, int b) { tile_product_of_bytes<int8_t, uint8_t>(c, a, b); }
inline void _tile_dpbusd(int c, int a, int b) { tile_product_of_bytes<uint8_t, int8_t>(c, a, b); }
inline void _tile_dpbuud(int c, int a, int b) { tile_product_of_bytes<uint8_t, uint8_t>(c, a, b); }

}  // namespace longra
