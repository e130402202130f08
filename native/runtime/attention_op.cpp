#include <algorithm>
#include <cstring>

#include "ops.h"

namespace longra {

void AttentionOp::run(const Step& step, int thread) {
  const int kv_heads = spec_.shape.kv_heads, threads = plan_.pool().threads();
  const Share mine = share(step.rows * kv_heads, thread, threads);
  for (const Segment& s : step.segments)
    for (int r = s.row; r < s.row + s.rows; r++)
      for (int h = 0; h < kv_heads; h++) {
        const int item = r * kv_heads + h;
        if (item >= mine.begin && item < mine.end) rotate_and_store(step, s, r, h);
      }
  plan_.pool().barrier();
  if (!step.decode && plan_.kernels().tiles && !plan_.cache_shape().floats)
    attend_tiles(step, thread);
  else if (step.rows * kv_heads >= 4 * threads)
    attend_rows(step, thread);
  else
    attend_split(step, thread);
}

// One row's key/value head enters the cache; its query heads are normed and turned where they lie.
void AttentionOp::rotate_and_store(const Step&, const Segment& s, int row, int head) {
  const AttentionShape& shape = spec_.shape;
  const Kernels& kernels = plan_.kernels();
  const int dim = shape.head_dim, position = s.start + row - s.row;
  const Rope* rope = spec_.rope >= 0 ? &plan_.rope_at(spec_.rope) : nullptr;
  auto turn = [&](float* x, int norm) {
    if (norm >= 0) kernels.rms_norm(x, plan_.vector_at(norm), spec_.shift, spec_.eps, dim, x);
    if (rope)
      kernels.rotate(x, plan_.cosines(spec_.rope, row), plan_.sines(spec_.rope, row), (int)rope->frequencies[0].size(), rope->interleaved);
  };
  float* q = plan_.buffer_at(spec_.q).row(row) + spec_.q_column + head * shape.group() * dim;
  for (int g = 0; g < shape.group(); g++) turn(q + g * dim, spec_.q_norm);
  float* k = plan_.buffer_at(spec_.k).row(row) + spec_.k_column + head * dim;
  turn(k, spec_.k_norm);
  if (const float* shift = plan_.vector_at(spec_.k_shift))
    for (int d = 0; d < dim; d++) k[d] -= shift[head * dim + d];
  const float* v = plan_.buffer_at(spec_.v).row(row) + spec_.v_column + head * dim;
  const CacheView cache = plan_.cache_view(spec_.layer, head, s);
  kernels.cache_write(plan_.cache_shape(), cache.page(position / kPageTokens), position % kPageTokens, k, v);
}

// Keys [begin, position], and the spans of kSpan that they lie in.
void AttentionOp::spans_of(int position, int& begin, int& first, int& count) const {
  begin = spec_.shape.window ? std::max(0, position - spec_.shape.window + 1) : 0;
  first = begin / kSpan;
  count = position / kSpan - first + 1;
}

void AttentionOp::one_span(const Segment& s, int row, int head, int first_head, int group, int span, float* partial) {
  const AttentionShape& shape = spec_.shape;
  const int position = s.start + row - s.row, dim = shape.head_dim, width = plan_.cache_shape().k_width();
  int begin, first, count;
  spans_of(position, begin, first, count);
  alignas(64) float q[kGroupRows * 512];
  const float* from = plan_.buffer_at(spec_.q).row(row) + spec_.q_column + (head * shape.group() + first_head) * dim;
  for (int g = 0; g < group; g++) {
    memcpy(q + g * width, from + g * dim, (size_t)dim * 4);
    std::fill(q + g * width + dim, q + (g + 1) * width, 0.0f);
  }
  const int from_key = std::max(begin, (first + span) * kSpan), to_key = std::min(position + 1, (first + span + 1) * kSpan);
  plan_.kernels().attend_span(plan_.cache_shape(), shape, plan_.cache_view(spec_.layer, head, s), from_key, to_key, q, width, group,
                              partial);
}

// Many rows: each is one thread's own.
void AttentionOp::attend_rows(const Step& step, int thread) {
  const AttentionShape& shape = spec_.shape;
  const Share mine = share(step.rows * shape.kv_heads, thread, plan_.pool().threads());
  const size_t size = partial_floats(plan_.cache_shape());
  for (const Segment& s : step.segments)
    for (int r = s.row; r < s.row + s.rows; r++)
      for (int h = 0; h < shape.kv_heads; h++) {
        const int item = r * shape.kv_heads + h;
        if (item < mine.begin || item >= mine.end) continue;
        int begin, first, count;
        spans_of(s.start + r - s.row, begin, first, count);
        float* partials = reinterpret_cast<float*>(plan_.scratch(thread, count * size * 4));
        for (int g = 0; g < shape.group(); g += kGroupRows) {
          const int group = std::min(kGroupRows, shape.group() - g);
          for (int span = 0; span < count; span++) one_span(s, r, h, g, group, span, partials + span * size);
          float* y = plan_.buffer_at(spec_.to).row(r) + (h * shape.group() + g) * shape.head_dim;
          plan_.kernels().merge_spans(plan_.cache_shape(), partials, count, group, y, shape.head_dim);
        }
      }
}

// Few rows: their spans are dealt out, and merged in order afterwards.
void AttentionOp::attend_split(const Step& step, int thread) {
  const AttentionShape& shape = spec_.shape;
  const int threads = plan_.pool().threads(), slices = (shape.group() + kGroupRows - 1) / kGroupRows;
  const size_t size = partial_floats(plan_.cache_shape());
  struct Task {
    const Segment* segment;
    int row, head, slice, spans;
    size_t at;
  };
  std::vector<Task> tasks;
  size_t total = 0;
  for (const Segment& s : step.segments)
    for (int r = s.row; r < s.row + s.rows; r++)
      for (int h = 0; h < shape.kv_heads; h++)
        for (int slice = 0; slice < slices; slice++) {
          int begin, first, count;
          spans_of(s.start + r - s.row, begin, first, count);
          tasks.push_back({&s, r, h, slice, count, total});
          total += count;
        }
  if (thread == 0) plan_.shared_scratch(total * size * 4);
  plan_.pool().barrier();
  float* partials = reinterpret_cast<float*>(plan_.shared_scratch(total * size * 4));
  const Share mine = share((int)total, thread, threads);
  for (const Task& t : tasks)
    for (int span = 0; span < t.spans; span++) {
      const int item = (int)t.at + span;
      if (item < mine.begin || item >= mine.end) continue;
      const int first = t.slice * kGroupRows;
      one_span(*t.segment, t.row, t.head, first, std::min(kGroupRows, shape.group() - first), span, partials + item * size);
    }
  plan_.pool().barrier();
  const Share merges = share((int)tasks.size(), thread, threads);
  for (int i = merges.begin; i < merges.end; i++) {
    const Task& t = tasks[i];
    const int first = t.slice * kGroupRows;
    float* y = plan_.buffer_at(spec_.to).row(t.row) + (t.head * shape.group() + first) * shape.head_dim;
    plan_.kernels().merge_spans(plan_.cache_shape(), partials + t.at * size, t.spans, std::min(kGroupRows, shape.group() - first), y,
                                shape.head_dim);
  }
}

void AttentionOp::attend_tiles(const Step& step, int thread) {
  const AttentionShape& shape = spec_.shape;
  const Buffer &q = plan_.buffer_at(spec_.q), &to = plan_.buffer_at(spec_.to);
  const int threads = plan_.pool().threads();
  for (const Segment& s : step.segments)
    for (int h = 0; h < shape.kv_heads; h++) {
      const int tiles = shape.group() * ((s.rows + 31) / 32), first = (thread + h) % threads;
      uint8_t* scratch = plan_.scratch(thread, plan_.kernels().attend_block_scratch(plan_.cache_shape(), tiles / threads + 1));
      const int column = h * shape.group() * shape.head_dim;
      plan_.kernels().attend_block(plan_.cache_shape(), shape, plan_.cache_view(spec_.layer, h, s), s.start, s.rows,
                                   q.row(s.row) + spec_.q_column + column, q.stride, to.row(s.row) + column, to.stride, first, threads,
                                   scratch);
    }
}

}  // namespace longra
