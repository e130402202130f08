#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops.h"

namespace longra {

// Queries of one segment and key/value head that go through the cache together: query i is head i % group of row i / group.
struct AttentionOp::Item {
  const Segment* segment;
  int head, first, count;
  Seen seen;  // keys that any of them sees
  size_t at;  // spans of the items before
  int first_span() const { return seen.begin / kSpan; }
  int spans() const { return (seen.end - 1) / kSpan - first_span() + 1; }
  Seen seen_of(int span) const {
    const int from = (first_span() + span) * kSpan;
    return {std::max(seen.begin, from), std::min(seen.end, from + kSpan)};
  }
};

namespace {
size_t query_bytes(const CacheShape& cache) { return (size_t)kQueries * cache.k_width() * 4; }
}  // namespace

void AttentionOp::run(const Step& step, int thread) {
  const int kv_heads = spec_.shape.kv_heads, threads = plan_.pool().threads();
  const Share mine = share(step.rows * kv_heads, thread, threads);
  for (const Segment& s : step.segments)
    for (int r = s.row; r < s.row + s.rows; r++)
      for (int h = 0; h < kv_heads; h++) {
        const int item = r * kv_heads + h;
        if (item >= mine.begin && item < mine.end) rotate_and_store(s, r, h);
      }
  plan_.pool().barrier();
  if (!step.decode && plan_.kernels().attend_block && plan_.cache_shape().kind != CacheKind::F32) return attend_tiles(step, thread);
  const std::vector<Item> items = items_of(step);
  if ((int)items.size() >= 4 * threads && !step.mass)
    attend_items(items, thread);
  else
    attend_split(step, items, thread);
}

// One row's key/value head enters the cache; its query heads are normed and turned where they lie.
void AttentionOp::rotate_and_store(const Segment& s, int row, int head) {
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
  const float* scale = plan_.vector_at(spec_.k_scale);
  for (int g = 0; g < shape.group(); g++) {
    turn(q + g * dim, spec_.q_norm);
    for (int d = 0; scale && d < dim; d++) q[g * dim + d] *= scale[head * dim + d];
  }
  float* k = plan_.buffer_at(spec_.k).row(row) + spec_.k_column + head * dim;
  turn(k, spec_.k_norm);
  if (const float* shift = plan_.vector_at(spec_.k_shift))
    for (int d = 0; d < dim; d++) k[d] -= shift[head * dim + d];
  for (int d = 0; scale && d < dim; d++) k[d] /= scale[head * dim + d];
  const float* v = plan_.buffer_at(spec_.v).row(row) + spec_.v_column + head * dim;
  const CacheView cache = plan_.cache_view(spec_.layer, head, s);
  kernels.cache_write(plan_.cache_shape(), cache.page(position / kPageTokens), position % kPageTokens, k, v);
}

std::vector<AttentionOp::Item> AttentionOp::items_of(const Step& step) const {
  const AttentionShape& shape = spec_.shape;
  const int group = shape.group(), most = plan_.kernels().queries;
  std::vector<Item> items;
  size_t spans = 0;
  for (const Segment& s : step.segments)
    for (int head = 0; head < shape.kv_heads; head++)
      for (int first = 0; first < s.rows * group; first += most) {
        const int count = std::min(most, s.rows * group - first);
        const Seen seen{shape.seen(s.start + first / group).begin, shape.seen(s.start + (first + count - 1) / group).end};
        items.push_back({&s, head, first, count, seen, spans});
        spans += items.back().spans();
      }
  return items;
}

void AttentionOp::pack_queries(const Item& item, float* q, Seen* each) const {
  const int dim = spec_.shape.head_dim, width = plan_.cache_shape().k_width(), group = spec_.shape.group();
  for (int i = 0; i < item.count; i++) {
    const int row = (item.first + i) / group, head = item.head * group + (item.first + i) % group;
    memcpy(q + i * width, plan_.buffer_at(spec_.q).row(item.segment->row + row) + spec_.q_column + head * dim, (size_t)dim * 4);
    std::fill(q + i * width + dim, q + (i + 1) * width, 0.0f);
    each[i] = spec_.shape.seen(item.segment->start + row);
  }
}

// Results of spans [begin, end) of an item: [spans][queries][partial_floats].
void AttentionOp::attend_spans(const Item& item, int begin, int end, float* partials, uint8_t* scratch) {
  const CacheShape& cache = plan_.cache_shape();
  float* q = reinterpret_cast<float*>(scratch);
  Seen each[kQueries];
  pack_queries(item, q, each);
  for (int span = begin; span < end; span++)
    plan_.kernels().attend_span(cache, spec_.shape, plan_.cache_view(spec_.layer, item.head, *item.segment), item.seen_of(span), q, each,
                                item.count, partials + (span - begin) * item.count * partial_floats(cache), scratch + query_bytes(cache));
}

void AttentionOp::merge(const Item& item, const float* partials) {
  const AttentionShape& shape = spec_.shape;
  const size_t size = partial_floats(plan_.cache_shape());
  for (int i = 0; i < item.count; i++) {
    const int row = (item.first + i) / shape.group(), head = item.head * shape.group() + (item.first + i) % shape.group();
    float* y = plan_.buffer_at(spec_.to).row(item.segment->row + row) + head * shape.head_dim;
    plan_.kernels().merge_spans(plan_.cache_shape(), partials + i * size, item.count * size, item.spans(),
                                shape.sinks ? shape.sinks + head : nullptr, y);
  }
}

// Adds an item's weights of keys in the given spans of the text. Threads share out the spans, so that no two add to one number.
void AttentionOp::add_mass(const Step& step, const Item& item, const float* partials, Share spans, uint8_t* scratch) {
  const AttentionShape& shape = spec_.shape;
  const CacheShape& cache = plan_.cache_shape();
  float* q = reinterpret_cast<float*>(scratch);
  Seen each[kQueries];
  Merged merged[kQueries];
  float* mass[kQueries];
  pack_queries(item, q, each);
  for (int i = 0; i < item.count; i++) {
    const int row = (item.first + i) / shape.group(), head = item.head * shape.group() + (item.first + i) % shape.group();
    mass[i] = step.mass + (item.segment->row + row) * step.mass_stride;
    merged[i] = shape.sinks ? Merged{shape.sinks[head] * kLog2E, 1} : Merged{partials[i * partial_floats(cache)], 0};
    auto result = [&](int span) { return partials + ((size_t)span * item.count + i) * partial_floats(cache); };
    const float sink = merged[i].maximum;
    for (int span = 0; span < item.spans(); span++) merged[i].maximum = std::max(merged[i].maximum, result(span)[0]);
    merged[i].total *= std::exp2(sink - merged[i].maximum);
    for (int span = 0; span < item.spans(); span++) merged[i].total += result(span)[1] * std::exp2(result(span)[0] - merged[i].maximum);
  }
  for (int span = std::max(0, spans.begin - item.first_span()); span < std::min(item.spans(), spans.end - item.first_span()); span++)
    plan_.kernels().attend_mass(cache, shape, plan_.cache_view(spec_.layer, item.head, *item.segment), item.seen_of(span), q, each,
                                item.count, merged, mass, scratch + query_bytes(cache));
}

// Many items: each is one thread's own. Neighbours cost about the same, so they are dealt out in turn.
void AttentionOp::attend_items(const std::vector<Item>& items, int thread) {
  const size_t work = query_bytes(plan_.cache_shape()) + plan_.kernels().attend_scratch(plan_.cache_shape());
  for (size_t i = thread; i < items.size(); i += plan_.pool().threads()) {
    const Item& item = items[i];
    uint8_t* scratch = plan_.scratch(thread, work + item.spans() * item.count * partial_floats(plan_.cache_shape()) * 4);
    float* partials = reinterpret_cast<float*>(scratch + work);
    attend_spans(item, 0, item.spans(), partials, scratch);
    merge(item, partials);
  }
}

// Few items: their spans are dealt out, and merged in order afterwards.
void AttentionOp::attend_split(const Step& step, const std::vector<Item>& items, int thread) {
  const int threads = plan_.pool().threads();
  const size_t size = plan_.kernels().queries * partial_floats(plan_.cache_shape());
  const size_t total = items.back().at + items.back().spans();
  if (thread == 0) plan_.shared_scratch(total * size * 4);
  plan_.pool().barrier();
  float* partials = reinterpret_cast<float*>(plan_.shared_scratch(total * size * 4));
  uint8_t* scratch = plan_.scratch(thread, query_bytes(plan_.cache_shape()) + plan_.kernels().attend_scratch(plan_.cache_shape()));
  const Share mine = share((int)total, thread, threads);
  for (const Item& item : items) {
    const int begin = std::max(mine.begin - (int)item.at, 0), end = std::min(mine.end - (int)item.at, item.spans());
    if (begin < end)
      attend_spans(item, begin, end, partials + item.at * size + begin * item.count * partial_floats(plan_.cache_shape()), scratch);
  }
  plan_.pool().barrier();
  const Share merges = share((int)items.size(), thread, threads);
  for (int i = merges.begin; i < merges.end; i++) merge(items[i], partials + items[i].at * size);
  if (!step.mass) return;
  for (const Item& item : items)
    add_mass(step, item, partials + item.at * size, share((item.seen.end - 1) / kSpan + 1, thread, threads), scratch);
}

void AttentionOp::attend_tiles(const Step& step, int thread) {
  const AttentionShape& shape = spec_.shape;
  const Buffer &q = plan_.buffer_at(spec_.q), &to = plan_.buffer_at(spec_.to);
  const int threads = plan_.pool().threads();
  for (const Segment& s : step.segments)
    for (int h = 0; h < shape.kv_heads; h++) {
      AttentionShape heads = shape;
      if (shape.sinks) heads.sinks += h * shape.group();
      const int tiles = shape.group() * ((s.rows + 31) / 32), first = (thread + h) % threads;
      uint8_t* scratch = plan_.scratch(thread, plan_.kernels().attend_block_scratch(plan_.cache_shape(), tiles / threads + 1));
      const int column = h * shape.group() * shape.head_dim;
      plan_.kernels().attend_block(plan_.cache_shape(), heads, plan_.cache_view(spec_.layer, h, s), s.start, s.rows,
                                   q.row(s.row) + spec_.q_column + column, q.stride, to.row(s.row) + column, to.stride, first, threads,
                                   scratch);
    }
}

}  // namespace longra
