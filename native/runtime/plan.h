// A model as a list of operations over float rows; a step replays the list on every thread.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "kernels.h"
#include "memory.h"
#include "pool.h"

namespace longra {

// Float rows [capacity][stride], zero beyond the width. Rows of the step, or only those whose logits are wanted.
struct Buffer {
  int width;
  size_t stride;
  bool logits_rows;
  std::unique_ptr<Region> memory;
  float* data() const { return reinterpret_cast<float*>(memory->data()); }
  float* row(int r) const { return data() + r * stride; }
};

struct Rope {
  std::vector<float> frequencies[2];  // plain, extended
  float magnitude[2];
  bool interleaved;
};

// Consecutive rows of one sequence.
struct Segment {
  int row, rows;         // rows [row, row + rows) of the step
  int start;             // position of the first
  const int32_t* pages;  // of the sequence, in order
};

// What one step works on.
struct Step {
  bool decode;
  int rows, logits;
  const int32_t* tokens;      // [rows]
  const int32_t* positions;   // [rows]
  const uint8_t* extended;    // [rows] which frequencies
  const int32_t* logit_rows;  // [logits]
  std::vector<Segment> segments;
  float* out;  // [logits][out_stride]
  size_t out_stride;
  float* mass;  // [rows][mass_stride], to which the weights of each key are added, over heads and layers; null: not wanted
  size_t mass_stride;
};

class Plan;

class Op {
 public:
  virtual ~Op() = default;
  virtual void run(const Step& step, int thread) = 0;
};

class LinearOp;

class Plan {
 public:
  Plan(int threads, const std::string& isa);

  // Build. Ids count from 0. -1 as a destination is the logits.
  int matrix(const std::string& kind, int rows, int inputs, const std::string& target);
  // Pack rows [first, first + rows) of a matrix; first is a multiple of 16.
  void fill(int matrix, const std::string& kind, const uint8_t* stored, size_t row_bytes, int first, int rows);
  int vector(const float* values, int size);
  int buffer(int width, bool logits_rows);
  int rope(std::vector<float> plain, float plain_magnitude, std::vector<float> extended, float extended_magnitude, bool interleaved);
  void add(std::unique_ptr<Op> op) { ops_.push_back(std::move(op)); }
  void cache(int layers, int kv_heads, int head_dim, const std::string& kind);
  void has_window(int layer) { windowed_.at(layer) = true; }

  void reserve(int pages);
  void copy_page(int from, int to);
  // Give back what a page holds of layers with a window.
  void slide_page(int page);
  bool has_page(int i) const { return i >= 0 && i < pages_; }
  uint8_t* page(int i) { return pool_pages_->data() + i * cache_.page_bytes(); }
  void step(Step& step);

  // For the operations.
  const Kernels& kernels() const { return *kernels_; }
  Pool& pool() { return pool_; }
  bool has_matrix(int i) const { return i >= 0 && i < (int)matrices_.size(); }
  const Matrix& matrix_at(int i) const { return matrices_[i]; }
  const float* vector_at(int i) const { return i < 0 ? nullptr : vectors_[i].get(); }
  Buffer& buffer_at(int i) { return *buffers_[i]; }
  const Rope& rope_at(int i) const { return ropes_[i].rope; }
  const float* cosines(int rope, int row) const { return ropes_[rope].cosines.data() + (size_t)row * ropes_[rope].pairs; }
  const float* sines(int rope, int row) const { return ropes_[rope].sines.data() + (size_t)row * ropes_[rope].pairs; }
  const CacheShape& cache_shape() const { return cache_; }
  CacheView cache_view(int layer, int head, const Segment& s) const {
    return {pool_pages_->data() + layer * cache_.layer_bytes() + head * cache_.head_bytes(), cache_.page_bytes(), s.pages,
            (s.start + s.rows + kPageTokens - 1) / kPageTokens};
  }
  uint16_t* operand(int which) { return reinterpret_cast<uint16_t*>(operands_[which]->data()); }
  void want_operand(int k);                    // room for max_rows rows of k inputs in both operands
  LinearOp* finishing = nullptr;               // the last product whose outputs become an operand
  uint8_t* scratch(int thread, size_t bytes);  // grows; one piece a thread
  uint8_t* shared_scratch(size_t bytes);       // grows; call from one thread between barriers

  // Bytes and weights of the matrices that a step multiplies by.
  void count_product(const Matrix& m) { product_bytes_ += m.bytes(), product_weights_ += (size_t)m.rows * m.inputs; }
  size_t product_bytes() const { return product_bytes_; }
  size_t product_weights() const { return product_weights_; }
  // Measured rates of all threads together: bytes a second over `bytes` of memory; operations a second.
  double read_rate(size_t bytes);
  double multiply_rate();
  size_t weight_bytes() const { return arena_.used(); }
  size_t page_bytes() const { return cache_.page_bytes(); }
  static constexpr int max_rows = 512;

 private:
  struct RopeTable {
    Rope rope;
    int pairs;
    std::vector<float> cosines, sines;  // [max_rows][pairs]
  };
  void fill_ropes(const Step& step, int thread);

  const Kernels* kernels_;
  Pool pool_;
  Arena arena_;
  std::deque<Matrix> matrices_;  // operations point into it
  struct FreeFloats {
    void operator()(float* p) const { free(p); }
  };
  std::vector<std::unique_ptr<float, FreeFloats>> vectors_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::vector<RopeTable> ropes_;
  std::vector<std::unique_ptr<Op>> ops_;
  CacheShape cache_{};
  std::unique_ptr<Region> pool_pages_;
  int pages_ = 0;
  std::vector<bool> windowed_;  // of each layer
  size_t product_bytes_ = 0, product_weights_ = 0;
  size_t operand_size_ = 0;
  std::unique_ptr<Region> operands_[2];
  std::vector<std::unique_ptr<Region>> scratch_;
};

}  // namespace longra
