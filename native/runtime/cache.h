// The KV cache as it lies in memory.
//
// A page holds 64 tokens' keys and values of all layers: [layer][key/value head][keys, values].
//   f32   keys [4 tiles of 16 tokens][k_width][16 tokens], values [v_width / 16][64 tokens][16 dims].
//   bf16  keys [4 tiles][k_width / 32][16 k pairs][16 tokens][2], values [2 x 32 tokens][v_width / 16][16 token pairs][16 dims][2].
//   q8    keys [4 tiles][k_width / 4][16 tokens][4 k], scales fp16 [4 tiles][k_width / kKeyGroup][16 tokens];
//         values [v_width / 16][16 token quads][16 dims][4 tokens], scales fp16 [v_width / kValueGroup][64 tokens].
// Lines of 64 bytes are operands of the matrix unit as they lie, and sixteen lanes of plain vectors.
//
// Of 32 tokens the first tile holds 0-3, 8-11, 16-19, 24-27 and the second the rest, so that packing two registers of
// 32-bit results into one of 16-bit ones (which works in quarters) gives the order of tokens. A token's slot is its place
// in that order; values of bf16 lie in the order of tokens, all else in the order of slots.
#pragma once
#include <cstddef>
#include <cstdint>

namespace longra {

enum class CacheKind : uint8_t { F32, B16, Q8 };

constexpr int kPageTokens = 64;
constexpr int kKeyGroup = 16, kValueGroup = 64;  // channels that share a scale

constexpr int tile_of(int token) { return token / 32 * 2 + token / 4 % 2; }  // of a page
constexpr int lane_of(int token) { return token % 32 / 8 * 4 + token % 4; }
constexpr int slot_of(int token) { return tile_of(token) * 16 + lane_of(token); }
constexpr int token_of(int slot) { return slot / 32 * 32 + slot % 16 / 4 * 8 + slot % 32 / 16 * 4 + slot % 4; }

struct CacheShape {
  int layers, kv_heads, head_dim;
  CacheKind kind;
  int k_width() const { return (head_dim + 31) / 32 * 32; }
  int v_width() const { return (head_dim + 15) / 16 * 16; }
  int k_groups() const { return k_width() / kKeyGroup; }
  int v_groups() const { return (v_width() + kValueGroup - 1) / kValueGroup; }
  size_t number_bytes() const { return kind == CacheKind::F32 ? 4 : kind == CacheKind::B16 ? 2 : 1; }
  size_t key_codes() const { return kPageTokens * k_width() * number_bytes(); }
  size_t value_codes() const { return kPageTokens * v_width() * number_bytes(); }
  size_t key_bytes() const { return key_codes() + (kind == CacheKind::Q8 ? k_groups() * kPageTokens * 2 : 0); }
  size_t value_bytes() const { return value_codes() + (kind == CacheKind::Q8 ? v_groups() * kPageTokens * 2 : 0); }
  size_t head_bytes() const { return key_bytes() + value_bytes(); }
  size_t layer_bytes() const { return kv_heads * head_bytes(); }
  size_t page_bytes() const { return layers * layer_bytes(); }
};

// One layer's key/value head over the pages of a sequence.
struct CacheView {
  uint8_t* base;  // of page 0
  size_t page_bytes;
  const int32_t* pages;
  int count;  // of pages
  uint8_t* page(int i) const { return base + pages[i] * page_bytes; }
};

}  // namespace longra
