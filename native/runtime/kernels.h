// The kernels of one instruction set. Rows are tokens. Float rows are padded with zeros to whole groups of 64.
#pragma once
#include <cstddef>
#include <cstdint>

#include "cache.h"
#include "formats.h"

namespace longra {

class Deal;  // share.h

enum class Activate : uint8_t { Silu, Gelu, GeluTanh, Relu };

// 32 inputs of a row, quantised for the integer dot product: x = code * scale.
struct alignas(64) QuantisedGroup {
  int8_t codes[32];  // in the byte order of formats.h
  float scale;
  int32_t sums[3];  // of the codes of the first 16 inputs, of the second 16, of all, as `dot_start` reads them
  float scaled[3];  // the same sums times scale
};

// Rows of quantised groups, in chunks of kChunkRows: [chunk][k / 32][rows of the chunk]. A product takes a group of k of all
// rows of a chunk one after the other.
constexpr int kChunkRows = 64;
struct QuantisedRows {
  QuantisedGroup* data;
  int rows, groups;  // groups of 32 k
  static size_t bytes(int rows, int k) { return (size_t)rows * (k / 32) * sizeof(QuantisedGroup); }
  int chunk_rows(int first) const { return rows - first < kChunkRows ? rows - first : kChunkRows; }
  QuantisedGroup* chunk(int first) const { return data + (size_t)first * groups; }  // first: a multiple of kChunkRows
};

// One block of a product's outputs: what becomes of the sums.
enum class Finish : uint8_t {
  Store,     // y = sum + bias
  Add,       // y += sum + bias
  Gate,      // operand = activate(sum of block a) * (sum of block b); prefill only
  Activate,  // operand = activate(sum + bias); prefill only
};

// A run of row blocks of one matrix and where its outputs go.
struct Piece {
  const Matrix* matrix;
  const float* bias;  // padded to whole row blocks, or null
  int column;         // of the output row
};

// Keys [begin, end) that a query sees.
struct Seen {
  int begin, end;
};

struct AttentionShape {
  int heads, kv_heads, head_dim;
  float scale, softcap;  // softcap 0: none
  int window;            // 0: none
  const float* sinks;    // [heads] logits that join the sum of weights with no value of their own, or null
  int group() const { return heads / kv_heads; }
  Seen seen(int position) const { return {window && position >= window ? position - window + 1 : 0, position + 1}; }
};

// A query is one head of one row. Attention gives each query a result over each span of keys, merged in order afterwards: spans
// lie at fixed positions, so that sums depend neither on threads nor on what runs beside.
constexpr int kSpan = 512;
constexpr float kLog2E = 1.44269504f;
constexpr int kQueries = 48;  // that one pass over a span serves

// The largest score of a query (in powers of two) and the sum of its weights.
struct Merged {
  float maximum, total;
};

// An unmerged result, of one query over one span: largest score (in powers of two), sum of weights, at 16 the values [v_width].
inline size_t partial_floats(const CacheShape& s) { return 16 + s.v_width(); }

// The kernels of one instruction set.
struct Kernels {
  const char* name;
  bool (*takes_operand)(Format format);  // whether prefill multiplies weights of this format with bf16 operands

  void (*rms_norm)(const float* x, const float* weight, float shift, float eps, int width, float* y);
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float eps, int width, float* y);
  void (*activate)(Activate kind, const float* x, const float* gate_with, int width, float* y);     // y = f(x) [* gate_with]
  void (*add)(const float* x, int width, float* y);                                                 // y += x
  void (*multiply)(const float* x, int width, float* y);                                            // y *= x
  void (*rotate)(float* x, const float* cosines, const float* sines, int pairs, bool interleaved);  // in place
  void (*embed)(const Matrix& table, int row, float scale, float* y);                               // y = row * scale

  // Rows x[0], x[1], ... as rows `row` and on of one chunk. Several at once write to neighbouring lines.
  void (*quantise)(const float* const* x, int row, int count, const QuantisedRows& to);
  // Outputs of row blocks [begin, end) of a piece with quantised weights: the same bits for any number of rows.
  void (*multiply_quantised)(const Piece& piece, int begin, int end, const QuantisedRows& x, float* y, size_t y_stride, Finish finish);
  // The same for float weights, by few rows.
  void (*multiply_floats)(const Piece& piece, int begin, int end, const float* x, size_t x_stride, int rows, float* y, size_t y_stride,
                          Finish finish);

  void (*pack_operand)(const float* x, size_t x_stride, int k, int rows, uint16_t* operand);
  // Outputs of the pairs of row blocks that are dealt to it: 2i and 2i + 1 of the piece, or i of the piece and i of `gate_with`.
  // operand: bf16 tiles [rows / 32][k / 32][2][16][32] of all rows, or null to read the floats x.
  void (*prefill)(const Piece& piece, const Piece* gate_with, Deal& deal, const uint16_t* operand, const float* x, size_t x_stride,
                  int rows, float* y, size_t y_stride, uint16_t* out_operand, int out_k, Finish finish, Activate kind, uint8_t* scratch);
  size_t (*prefill_scratch)(int k, int pairs, int rows);

  void (*cache_write)(const CacheShape& shape, uint8_t* head, int token, const float* k, const float* v);
  int queries;  // that attend_span takes at most
  // Queries [count][k_width] of one key/value head over one span, of which each sees its own keys; some query sees each of
  // keys [seen.begin, seen.end). partials: [count][partial_floats].
  void (*attend_span)(const CacheShape& shape, const AttentionShape& attention, const CacheView& cache, Seen seen, const float* q,
                      const Seen* each, int count, float* partials, uint8_t* scratch);
  size_t (*attend_scratch)(const CacheShape& shape);
  // Merge `spans` results of a query, `stride` floats apart, in order, into y [head_dim]; with the head's sink, or null.
  void (*merge_spans)(const CacheShape& shape, const float* partials, size_t stride, int spans, const float* sink, float* y);
  // As attend_span, when the queries' merged maxima and sums are known: adds 2^(score - maximum) / total to mass[query][key].
  void (*attend_mass)(const CacheShape& shape, const AttentionShape& attention, const CacheView& cache, Seen seen, const float* q,
                      const Seen* each, int count, const Merged* merged, float* const* mass, uint8_t* scratch);
  uint32_t (*read_all)(const uint8_t* p, size_t bytes, int ahead);
  double (*multiply_all)(uint8_t* scratch, int rounds);
  // Prefill in bf16 (attention.sinks: those of this key/value head): rows at positions start.. by the heads of one key/value
  // head. A tile is 32 rows of one head; tiles first, first + step, ... are computed. q and y: [rows][stride], heads head_dim apart.
  // Null where bf16 is not multiplied.
  void (*attend_block)(const CacheShape& shape, const AttentionShape& attention, const CacheView& cache, int start, int rows,
                       const float* q, size_t q_stride, float* y, size_t y_stride, int first, int step, uint8_t* scratch);
  size_t (*attend_block_scratch)(const CacheShape& shape, int tiles);
};

const Kernels* kernels_named(const char* name);  // null when not built

}  // namespace longra
