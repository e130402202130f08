// The operations of a plan.
#pragma once
#include "plan.h"
#include "share.h"

namespace longra {

// Rows that an operation on this buffer works on.
inline int row_count(const Step& step, const Buffer& buffer) { return buffer.logits_rows ? step.logits : step.rows; }

// y = table[token] * scale.
class EmbedOp : public Op {
 public:
  EmbedOp(Plan& plan, int table, int to, float scale) : plan_(plan), table_(table), to_(to), scale_(scale) {}
  void run(const Step& step, int thread) override;

 private:
  Plan& plan_;
  int table_, to_;
  float scale_;
};

// y += table[position + offset].
class PositionOp : public Op {
 public:
  PositionOp(Plan& plan, int table, int to, int offset) : plan_(plan), table_(table), to_(to), offset_(offset) {}
  void run(const Step& step, int thread) override;

 private:
  Plan& plan_;
  int table_, to_, offset_;
};

// A norm's parameters; weight and bias are vector ids, bias -1 for none. Without a mean it is an RMS norm.
struct NormSpec {
  bool mean;
  int weight, bias;
  float eps, shift;
};
void apply_norm(Plan& plan, const NormSpec& norm, const float* x, int width, float* y);

// y = norm(x), or y += norm(x).
class NormOp : public Op {
 public:
  NormOp(Plan& plan, int from, int to, NormSpec norm, bool accumulate)
      : plan_(plan), from_(from), to_(to), norm_(norm), accumulate_(accumulate) {}
  void run(const Step& step, int thread) override;

 private:
  Plan& plan_;
  int from_, to_;
  NormSpec norm_;
  bool accumulate_;
};

enum class Elementwise : uint8_t { Copy, Add, Multiply, Activate, SelectLogits };

// y = x, y += x, y *= x, y = f(x), or y = the rows of x whose logits are wanted.
class RowsOp : public Op {
 public:
  RowsOp(Plan& plan, Elementwise what, int from, int to, Activate kind) : plan_(plan), what_(what), from_(from), to_(to), kind_(kind) {}
  void run(const Step& step, int thread) override;

 private:
  Plan& plan_;
  Elementwise what_;
  int from_, to_;
  Activate kind_;
};

// What is done to input rows before a product.
enum class Input : uint8_t {
  Plain,
  Norm,
  Gated,      // the buffer holds [x | y]: activate(x) * y
  Activated,  // activate(x)
};

struct LinearSpec {
  struct Part {
    int matrix, bias, column;
  };
  int from, to;  // buffers; to -1: the logits
  Input input;
  NormSpec norm;
  Activate kind;
  std::vector<Part> parts;
  bool add;
  // Prefill in bf16: this product's outputs go straight to the next one's operand as activate(first) * second
  // (gate) or activate(out); else it writes `to` and the next product does it as it reads.
  bool finish_gate, finish_activate;
  bool operand_ready;  // prefill: the operand was made by the product before
};

class LinearOp : public Op {
 public:
  LinearOp(Plan& plan, LinearSpec spec);
  void run(const Step& step, int thread) override;

 private:
  struct Target {
    float* data;
    size_t stride;
  };
  void agree_on_operand(LinearOp& before);
  void run_rows(const Step& step, int thread, int rows);     // integers and floats
  void run_operand(const Step& step, int thread, int rows);  // prefill in bf16
  const float* input_row(int row, float* space) const;
  Target target(const Step& step) const;

  Plan& plan_;
  LinearSpec spec_;
  std::vector<Piece> pieces_;
  std::unique_ptr<std::atomic<int>[]> taken_;  // of each piece's work, see Deal
  int width_, padded_;                         // inputs, and rounded up to superblocks
  bool any_float_, any_quantised_, takes_operand_;
};

struct AttentionSpec {
  int q, k, v;                       // buffers
  int q_column, k_column, v_column;  // where in their rows
  int to, layer, rope;               // rope -1: none
  AttentionShape shape;
  int q_norm, k_norm;  // vectors or -1
  int k_shift;         // vector [kv_heads * head_dim] that is taken from every key, or -1
  int k_scale;         // vector [kv_heads * head_dim] by which keys are divided and queries multiplied, or -1
  int sinks;           // vector [heads] or -1
  float eps, shift;
};

class AttentionOp : public Op {
 public:
  AttentionOp(Plan& plan, AttentionSpec spec) : plan_(plan), spec_(spec) { spec_.shape.sinks = plan.vector_at(spec.sinks); }
  void run(const Step& step, int thread) override;

 private:
  struct Item;
  void rotate_and_store(const Segment& segment, int row, int head);
  std::vector<Item> items_of(const Step& step) const;
  void attend_items(const std::vector<Item>& items, int thread);
  void attend_split(const Step& step, const std::vector<Item>& items, int thread);
  void pack_queries(const Item& item, float* q, Seen* each) const;
  void attend_tiles(const Step& step, int thread);
  void attend_spans(const Item& item, int begin, int end, float* partials, uint8_t* scratch);
  void merge(const Item& item, const float* partials);
  void add_mass(const Step& step, const Item& item, const float* partials, Share spans, uint8_t* scratch);

  Plan& plan_;
  AttentionSpec spec_;
};

}  // namespace longra
