#include <algorithm>

#include "ops.h"

namespace longra {

namespace {
// Rows that are quantised at once: a row alone writes to lines 4 KB apart, which the first-level cache cannot hold
// (6.6 % of SmolLM2's prefill on Zen 4, 3.6 % together). A chunk has a multiple of them.
constexpr int kTogether = 8;
static_assert(kChunkRows % kTogether == 0);

int round_up(int n, int to) { return (n + to - 1) / to * to; }
}  // namespace

LinearOp::LinearOp(Plan& plan, LinearSpec spec) : plan_(plan), spec_(std::move(spec)) {
  any_float_ = any_quantised_ = false;
  takes_operand_ = true;
  for (const auto& part : spec_.parts) {
    const Matrix& m = plan.matrix_at(part.matrix);
    pieces_.push_back({&m, plan.vector_at(part.bias), part.column});
    plan.count_product(m);
    any_float_ |= !is_quantised(m.format);
    any_quantised_ |= is_quantised(m.format);
    takes_operand_ &= plan.kernels().takes_operand(m.format);
  }
  taken_ = std::make_unique<std::atomic<int>[]>(pieces_.size());
  width_ = pieces_[0].matrix->inputs;
  padded_ = pieces_[0].matrix->input_blocks() * kBlockInputs;
  const bool finishes = spec_.finish_gate || spec_.finish_activate;
  if (takes_operand_) {
    plan.want_operand(padded_);
    if (finishes) plan.want_operand(round_up(pieces_[0].matrix->rows, kBlockInputs));
  }
  if (spec_.operand_ready) agree_on_operand(*plan.finishing);
  if (finishes) plan.finishing = this;
}

// An operand goes from the product before to this one if both take operands: their formats may differ.
void LinearOp::agree_on_operand(LinearOp& before) {
  if (takes_operand_ && before.takes_operand_) return;
  before.spec_.finish_gate = before.spec_.finish_activate = spec_.operand_ready = false;
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
  if (takes_operand_ && !step.decode)
    run_operand(step, thread, rows);
  else
    run_rows(step, thread, rows);
}

LinearOp::Target LinearOp::target(const Step& step) const {
  if (spec_.to < 0) return {step.out, step.out_stride};
  const Buffer& to = plan_.buffer_at(spec_.to);
  return {to.data(), to.stride};
}

void LinearOp::run_rows(const Step& step, int thread, int rows) {
  // Decode of one row: each thread prepares it for itself, which costs less than waiting for another. Else they share the work.
  const int threads = plan_.pool().threads();
  const size_t quantised_bytes = any_quantised_ ? QuantisedRows::bytes(rows, padded_) : 0;
  const size_t float_bytes = (any_float_ ? rows : 0) * (size_t)padded_ * 4;
  const bool alone = step.decode && rows == 1;
  if (!alone) {
    if (thread == 0) plan_.shared_scratch(quantised_bytes + float_bytes);
    plan_.pool().barrier();
  }
  const size_t own_bytes = (alone ? 1 : kTogether) * (size_t)padded_ * 4;
  uint8_t* own = plan_.scratch(thread, own_bytes + (alone ? quantised_bytes + float_bytes : 0));
  uint8_t* space = alone ? own + own_bytes : plan_.shared_scratch(quantised_bytes + float_bytes);
  const QuantisedRows quantised{reinterpret_cast<QuantisedGroup*>(space), rows, padded_ / 32};
  float* floats = reinterpret_cast<float*>(space + quantised_bytes);
  const Share mine = alone ? Share{0, 1} : share(rows, thread, threads);
  for (int r = mine.begin, count; r < mine.end; r += count) {
    count = std::min(kTogether - r % kTogether, mine.end - r);
    const float* x[kTogether];
    for (int i = 0; i < count; i++) {
      float* to = (any_float_ ? floats + (size_t)r * padded_ : reinterpret_cast<float*>(own)) + (size_t)i * padded_;
      x[i] = input_row(r + i, to);
      if (any_float_ && x[i] != to) std::copy(x[i], x[i] + padded_, to);
    }
    if (any_quantised_) plan_.kernels().quantise(x, r, count, quantised);
  }
  if (!alone) plan_.pool().barrier();

  const Target y = target(step);
  const Finish finish = spec_.add ? Finish::Add : Finish::Store;
  const Kernels& kernels = plan_.kernels();
  for (const Piece& piece : pieces_) {
    const int blocks = piece.matrix->row_blocks();
    const Share part = share(blocks, thread, threads);
    if (is_quantised(piece.matrix->format) && rows >= kChunkRows) {
      Deal deal(taken_[&piece - pieces_.data()], (blocks + 1) / 2, thread, threads);
      for (int i; (i = deal.next()) >= 0;)
        kernels.multiply_quantised(piece, 2 * i, std::min(2 * i + 2, blocks), quantised, y.data, y.stride, finish);
    } else if (is_quantised(piece.matrix->format)) {
      kernels.multiply_quantised(piece, part.begin, part.end, quantised, y.data, y.stride, finish);
    } else if (step.decode) {
      kernels.multiply_floats(piece, part.begin, part.end, floats, padded_, rows, y.data, y.stride, finish);
    } else {
      Deal deal(taken_[&piece - pieces_.data()], (blocks + 1) / 2, thread, threads);
      uint8_t* scratch = plan_.scratch(thread, kernels.prefill_scratch(padded_, deal.own().end - deal.own().begin, rows));
      kernels.prefill(piece, nullptr, deal, nullptr, floats, padded_, rows, y.data, y.stride, nullptr, 0, finish, spec_.kind, scratch);
    }
  }
}

void LinearOp::run_operand(const Step& step, int thread, int rows) {
  const int threads = plan_.pool().threads();
  uint16_t* operand = plan_.operand(spec_.operand_ready ? 1 : 0);
  if (!spec_.operand_ready) {
    const Buffer& from = plan_.buffer_at(spec_.from);
    float* space = reinterpret_cast<float*>(plan_.scratch(thread, (size_t)32 * padded_ * 4));
    const Share mine = share((rows + 31) / 32, thread, threads);
    for (int b = mine.begin; b < mine.end; b++) {
      const int count = std::min(32, rows - b * 32);
      const bool plain = spec_.input == Input::Plain;
      for (int r = 0; r < count && !plain; r++) input_row(b * 32 + r, space + (size_t)r * padded_);
      plan_.kernels().pack_operand(plain ? from.row(b * 32) : space, plain ? from.stride : padded_, padded_, count,
                                   operand + (size_t)b * 32 * padded_);
    }
    plan_.pool().barrier();
  }

  Finish finish = spec_.add ? Finish::Add : Finish::Store;
  uint16_t* next = nullptr;
  int out_k = 0;
  if (spec_.finish_gate || spec_.finish_activate) {
    finish = spec_.finish_gate ? Finish::Gate : Finish::Activate;
    next = plan_.operand(1);
    out_k = round_up(pieces_[0].matrix->rows, kBlockInputs);
  }
  const Target y = target(step);
  const bool gate = finish == Finish::Gate;
  for (size_t p = 0; p < pieces_.size(); p += gate ? 2 : 1) {
    const int blocks = pieces_[p].matrix->row_blocks();
    Deal deal(taken_[p], gate ? blocks : (blocks + 1) / 2, thread, threads);
    uint8_t* scratch = plan_.scratch(thread, plan_.kernels().prefill_scratch(padded_, deal.own().end - deal.own().begin, rows));
    plan_.kernels().prefill(pieces_[p], gate ? &pieces_[p + 1] : nullptr, deal, operand, nullptr, padded_, rows, y.data, y.stride, next,
                            out_k, finish, spec_.kind, scratch);
  }
}

}  // namespace longra
