#include <algorithm>

#include "ops.h"

namespace longra {

namespace {
int round_up(int n, int to) { return (n + to - 1) / to * to; }
}  // namespace

LinearOp::LinearOp(Plan& plan, LinearSpec spec) : plan_(plan), spec_(std::move(spec)) {
  any_float_ = any_quantised_ = false;
  bool any_f32 = false;
  for (const auto& part : spec_.parts) {
    const Matrix& m = plan.matrix_at(part.matrix);
    pieces_.push_back({&m, plan.vector_at(part.bias), part.column});
    plan.count_product(m);
    any_float_ |= !is_quantised(m.format);
    any_quantised_ |= is_quantised(m.format);
    any_f32 |= m.format == Format::F32;
  }
  width_ = pieces_[0].matrix->inputs;
  padded_ = pieces_[0].matrix->input_blocks() * kBlockInputs;
  tiles_ = plan.kernels().tiles && !any_f32;
  if (tiles_) {
    plan.want_operand(padded_);
    if (spec_.finish_gate || spec_.finish_activate) plan.want_operand(round_up(pieces_[0].matrix->rows, kBlockInputs));
  }
}

// The input row after the norm or activation: the buffer's own row, or `space` (padded_ floats, zero beyond the width).
const float* LinearOp::input_row(int row, float* space) const {
  const Buffer& from = plan_.buffer_at(spec_.from);
  const float* x = from.row(row);
  switch (spec_.input) {
    case Input::Plain: return x;
    case Input::Norm: apply_norm(plan_, spec_.norm, x, width_, space); break;
    case Input::Gated: plan_.kernels().activate(spec_.kind, x, x + round_up(width_, kBlockRows), width_, space); break;
    case Input::Activated: plan_.kernels().activate(spec_.kind, x, nullptr, width_, space); break;
  }
  std::fill(space + width_, space + padded_, 0.0f);
  return space;
}

void LinearOp::run(const Step& step, int thread) {
  const int rows = row_count(step, plan_.buffer_at(spec_.from));
  if (rows == 0) return;
  if (step.decode)
    run_decode(step, thread, rows);
  else
    run_prefill(step, thread, rows);
}

void LinearOp::run_decode(const Step& step, int thread, int rows) {
  // One row: each thread prepares it for itself, which costs less than waiting for another. More: they share the work.
  const size_t float_row = (size_t)padded_ * 4, quantised_row = round_up((int)QuantisedRow::bytes(padded_), 64);
  const size_t bytes = rows * (float_row + quantised_row) + 64;
  const bool alone = rows == 1;
  if (!alone) {
    if (thread == 0) plan_.shared_scratch(bytes);
    plan_.pool().barrier();
  }
  uint8_t* space = alone ? plan_.scratch(thread, bytes) : plan_.shared_scratch(bytes);
  float* floats = reinterpret_cast<float*>(space);
  QuantisedRow quantised[Plan::max_rows];
  for (int r = 0; r < rows; r++) quantised[r] = QuantisedRow::at(space + rows * float_row + r * quantised_row, padded_);
  const Share mine = alone ? Share{0, 1} : share(rows, thread, plan_.pool().threads());
  for (int r = mine.begin; r < mine.end; r++) {
    float* own = floats + (size_t)r * padded_;
    const float* x = input_row(r, own);
    if (any_float_ && x != own) std::copy(x, x + padded_, own);
    if (any_quantised_) plan_.kernels().quantise(x, padded_, quantised[r]);
  }
  if (!alone) plan_.pool().barrier();

  float* y = spec_.to < 0 ? step.out : plan_.buffer_at(spec_.to).data();
  const size_t y_stride = spec_.to < 0 ? step.out_stride : plan_.buffer_at(spec_.to).stride;
  for (const Piece& piece : pieces_) {
    const Share blocks = share(piece.matrix->row_blocks(), thread, plan_.pool().threads());
    plan_.kernels().decode(piece, blocks.begin, blocks.end, quantised, floats, padded_, rows, y, y_stride,
                           spec_.add ? Finish::Add : Finish::Store);
  }
}

void LinearOp::run_prefill(const Step& step, int thread, int rows) {
  const int threads = plan_.pool().threads();
  const bool tiles = tiles_;
  uint16_t *operand = nullptr, *next = nullptr;
  const float* x = nullptr;
  if (tiles && spec_.operand_ready) {
    operand = plan_.operand(1);
  } else if (tiles) {
    operand = plan_.operand(0);
    float* space = reinterpret_cast<float*>(plan_.scratch(thread, (size_t)32 * padded_ * 4));
    const Share mine = share((rows + 31) / 32, thread, threads);
    for (int b = mine.begin; b < mine.end; b++) {
      const int count = std::min(32, rows - b * 32);
      for (int r = 0; r < count; r++) {
        float* own = space + (size_t)r * padded_;
        const float* row = input_row(b * 32 + r, own);
        if (row != own) std::copy(row, row + padded_, own);
      }
      plan_.kernels().pack_operand(space, padded_, padded_, count, operand + (size_t)b * 32 * padded_);
    }
    plan_.pool().barrier();
  } else {
    if (thread == 0) plan_.shared_scratch((size_t)rows * padded_ * 4);
    plan_.pool().barrier();
    float* floats = reinterpret_cast<float*>(plan_.shared_scratch((size_t)rows * padded_ * 4));
    const Share mine = share(rows, thread, threads);
    for (int r = mine.begin; r < mine.end; r++) {
      float* own = floats + (size_t)r * padded_;
      const float* row = input_row(r, own);
      if (row != own) std::copy(row, row + padded_, own);
    }
    plan_.pool().barrier();
    x = floats;
  }

  Finish finish = spec_.add ? Finish::Add : Finish::Store;
  int out_k = 0;
  if (tiles && (spec_.finish_gate || spec_.finish_activate)) {
    finish = spec_.finish_gate ? Finish::Gate : Finish::Activate;
    next = plan_.operand(1);
    out_k = round_up(pieces_[0].matrix->rows, kBlockInputs);
  }
  float* y = spec_.to < 0 ? step.out : plan_.buffer_at(spec_.to).data();
  const size_t y_stride = spec_.to < 0 ? step.out_stride : plan_.buffer_at(spec_.to).stride;
  const bool gate = finish == Finish::Gate;
  for (size_t p = 0; p < pieces_.size(); p += gate ? 2 : 1) {
    const int blocks = pieces_[p].matrix->row_blocks();
    const Share mine = share(gate ? blocks : (blocks + 1) / 2, thread, threads);
    uint8_t* scratch = plan_.scratch(thread, plan_.kernels().prefill_scratch(padded_, mine.end - mine.begin, rows));
    plan_.kernels().prefill(pieces_[p], gate ? &pieces_[p + 1] : nullptr, mine.begin, mine.end, operand, x, padded_, rows, y, y_stride,
                            next, out_k, finish, spec_.kind, scratch);
  }
}

}  // namespace longra
