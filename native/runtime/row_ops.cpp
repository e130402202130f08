#include <cstring>

#include "ops.h"

namespace longra {

void EmbedOp::run(const Step& step, int thread) {
  const Share rows = share(step.rows, thread, plan_.pool().threads());
  Buffer& to = plan_.buffer_at(to_);
  for (int r = rows.begin; r < rows.end; r++) plan_.kernels().embed(plan_.matrix_at(table_), step.tokens[r], scale_, to.row(r));
}

void PositionOp::run(const Step& step, int thread) {
  const Share rows = share(step.rows, thread, plan_.pool().threads());
  Buffer& to = plan_.buffer_at(to_);
  std::vector<float> row(to.stride);
  for (int r = rows.begin; r < rows.end; r++) {
    plan_.kernels().embed(plan_.matrix_at(table_), step.positions[r] + offset_, 1.0f, row.data());
    plan_.kernels().add(row.data(), to.width, to.row(r));
  }
}

void apply_norm(Plan& plan, const NormSpec& norm, const float* x, int width, float* y) {
  const float* weight = plan.vector_at(norm.weight);
  if (norm.mean)
    plan.kernels().layer_norm(x, weight, plan.vector_at(norm.bias), norm.eps, width, y);
  else
    plan.kernels().rms_norm(x, weight, norm.shift, norm.eps, width, y);
}

void NormOp::run(const Step& step, int thread) {
  Buffer &from = plan_.buffer_at(from_), &to = plan_.buffer_at(to_);
  const Share rows = share(row_count(step, from), thread, plan_.pool().threads());
  std::vector<float> row(accumulate_ ? from.stride : 0);
  for (int r = rows.begin; r < rows.end; r++) {
    apply_norm(plan_, norm_, from.row(r), from.width, accumulate_ ? row.data() : to.row(r));
    if (accumulate_) plan_.kernels().add(row.data(), to.width, to.row(r));
  }
}

void RowsOp::run(const Step& step, int thread) {
  Buffer &from = plan_.buffer_at(from_), &to = plan_.buffer_at(to_);
  const Share rows = share(row_count(step, to), thread, plan_.pool().threads());
  const Kernels& kernels = plan_.kernels();
  for (int r = rows.begin; r < rows.end; r++) {
    const float* x = from.row(what_ == Elementwise::SelectLogits ? step.logit_rows[r] : r);
    float* y = to.row(r);
    switch (what_) {
      case Elementwise::Copy:
      case Elementwise::SelectLogits: memcpy(y, x, to.stride * 4); break;
      case Elementwise::Add: kernels.add(x, to.width, y); break;
      case Elementwise::Multiply: kernels.multiply(x, to.width, y); break;
      case Elementwise::Activate: kernels.activate(kind_, x, nullptr, to.width, y); break;
    }
  }
}

}  // namespace longra
