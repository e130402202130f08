// Packed weight formats. A superblock is 16 rows (outputs) x 64 k (inputs); a matrix is [row blocks][superblocks of k].
//
// Quantised: w = kUnit * ((q - zero) * scale + offset), with scale and offset (where there is one) for each row and group of k.
//   code lines, then scales fp16 [groups][16 rows], then offsets fp16 [groups][16 rows].
//   Half h (32 k) of a 4-bit superblock is four lines; in line j each 32-bit lane is a row, its bytes b0..b3 hold in the low
//   nibbles k = 8j + {0, 4, 1, 5} and in the high ones k = 8j + {2, 6, 3, 7}: operands 2j and 2j + 1 of the integer dot product.
//   5 bits: two more lines, one a half: bit o of byte i is bit 4 of operand o. 6 bits: four more lines, two a half: line
//   o / 4 holds bits 4 and 5 of operand o at bit 2 (o mod 4). 8 bits: sixteen lines, one an operand.
// B16: bf16, 32 lines of k pairs [16 rows][2]. F32: 64 lines [16 rows], one a k.
#pragma once
#include <cstddef>
#include <cstdint>

namespace longra {

enum class Format : uint8_t { Q4, Q4Offset, Q4Fine, Q4FineOffset, Q4Table, Q5, Q5Offset, Q6Fine, Q8, B16, F32 };

// Scales are stored 64 times too large, so that weights down to 1e-6 are normal half-precision numbers.
constexpr float kUnit = 1.0f / 64;
constexpr int kBlockRows = 16;
constexpr int kBlockInputs = 64;

template <int BITS, int GROUP, bool OFFSET, bool TABLE = false>
struct Quantised {
  static constexpr int bits = BITS, group = GROUP;
  static constexpr bool has_offset = OFFSET, has_table = TABLE;
  static constexpr int zero_bits = TABLE ? 7 : BITS - 1, zero = 1 << zero_bits;
  static constexpr int largest = TABLE ? 255 : (1 << BITS) - 1;
  static constexpr int groups = kBlockInputs / GROUP;
  static constexpr int scales_at = BITS * 128;
  static constexpr int offsets_at = scales_at + groups * 32;
  static constexpr int bytes = offsets_at + (OFFSET ? groups * 32 : 0);
};

template <Format F>
struct LayoutOf;
template <>
struct LayoutOf<Format::Q4> : Quantised<4, 32, false> {};
template <>
struct LayoutOf<Format::Q4Offset> : Quantised<4, 32, true> {};
template <>
struct LayoutOf<Format::Q4Fine> : Quantised<4, 16, false> {};
template <>
struct LayoutOf<Format::Q4FineOffset> : Quantised<4, 16, true> {};
template <>
struct LayoutOf<Format::Q4Table> : Quantised<4, 32, false, true> {};
template <>
struct LayoutOf<Format::Q5> : Quantised<5, 32, false> {};
template <>
struct LayoutOf<Format::Q5Offset> : Quantised<5, 32, true> {};
template <>
struct LayoutOf<Format::Q6Fine> : Quantised<6, 16, false> {};
template <>
struct LayoutOf<Format::Q8> : Quantised<8, 32, false> {};

// Call f.template operator()<Layout>() with the layout of a quantised format.
template <class F>
auto with_layout(Format format, F&& f) {
  switch (format) {
    case Format::Q4: return f.template operator()<LayoutOf<Format::Q4>>();
    case Format::Q4Offset: return f.template operator()<LayoutOf<Format::Q4Offset>>();
    case Format::Q4Fine: return f.template operator()<LayoutOf<Format::Q4Fine>>();
    case Format::Q4FineOffset: return f.template operator()<LayoutOf<Format::Q4FineOffset>>();
    case Format::Q4Table: return f.template operator()<LayoutOf<Format::Q4Table>>();
    case Format::Q5: return f.template operator()<LayoutOf<Format::Q5>>();
    case Format::Q5Offset: return f.template operator()<LayoutOf<Format::Q5Offset>>();
    case Format::Q6Fine: return f.template operator()<LayoutOf<Format::Q6Fine>>();
    default: return f.template operator()<LayoutOf<Format::Q8>>();
  }
}

inline bool is_quantised(Format f) { return f != Format::B16 && f != Format::F32; }

inline int superblock_bytes(Format f) {
  if (f == Format::B16) return 2 * kBlockRows * kBlockInputs;
  if (f == Format::F32) return 4 * kBlockRows * kBlockInputs;
  return with_layout(f, []<class L>() { return L::bytes; });
}

// k (0..31 within a half) of byte i of operand o, and the other way round.
constexpr int input_of(int operand, int byte) {
  constexpr int order[2][4] = {{0, 4, 1, 5}, {2, 6, 3, 7}};
  return 8 * (operand / 2) + order[operand % 2][byte];
}
constexpr int operand_of(int k) { return 2 * (k / 8) + (k & 2 ? 1 : 0); }
constexpr int byte_of(int k) { return (k & 4 ? 1 : 0) + (k & 1 ? 2 : 0); }

// The values of IQ4_NL and IQ4_XS codes, plus 128 (ggml's kvalues_iq4nl).
constexpr uint8_t kTable[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};

// A packed matrix: rows x inputs, padded with zeros to whole superblocks.
struct Matrix {
  Format format;
  int rows, inputs;
  const uint8_t* data;
  int row_blocks() const { return (rows + kBlockRows - 1) / kBlockRows; }
  int input_blocks() const { return (inputs + kBlockInputs - 1) / kBlockInputs; }
  size_t block_bytes() const { return (size_t)input_blocks() * superblock_bytes(format); }  // one block of 16 rows
  size_t bytes() const { return row_blocks() * block_bytes(); }
};

}  // namespace longra
