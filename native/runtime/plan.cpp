#include "plan.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>

#include "cpu.h"
#include "pack.h"
#include "share.h"

namespace longra {

Plan::Plan(int threads, const std::string& isa) : kernels_(kernels_named(isa.c_str())), pool_(threads), scratch_(threads + 1) {
  const auto usable = cpu::usable();
  if (!kernels_ || std::find(usable.begin(), usable.end(), isa) == usable.end())
    throw std::invalid_argument("this machine cannot run kernels for " + isa);
}

int Plan::matrix(const std::string& kind, int rows, int inputs, const std::string& target) {
  Format format = format_of(kind);
  if (target == "f32")
    format = Format::F32;
  else if (target == "bf16")
    format = Format::B16;
  else if (target == "q8")
    format = Format::Q8;
  else if (target == "q4")
    format = Format::Q4Offset;
  Matrix m{format, rows, inputs, nullptr};
  m.data = arena_.take(m.bytes());
  matrices_.push_back(m);
  return (int)matrices_.size() - 1;
}

void Plan::fill(int matrix, const std::string& kind, const uint8_t* stored, size_t row_bytes, int first, int rows) {
  const Matrix& whole = matrices_[matrix];
  uint8_t* data = const_cast<uint8_t*>(whole.data) + first / kBlockRows * whole.block_bytes();
  pack(kind, stored, row_bytes, {whole.format, rows, whole.inputs, data}, data, pool_);
}

int Plan::vector(const float* values, int size) {
  const size_t padded = (size_t)(size + 63) / 64 * 64;
  auto* p = static_cast<float*>(std::aligned_alloc(64, padded * 4));
  if (!p) throw std::bad_alloc();
  memset(p, 0, padded * 4);
  memcpy(p, values, (size_t)size * 4);
  vectors_.emplace_back(p);
  return (int)vectors_.size() - 1;
}

int Plan::buffer(int width, bool logits_rows) {
  auto b = std::make_unique<Buffer>();
  b->width = width;
  b->stride = (size_t)(width + 63) / 64 * 64;
  b->logits_rows = logits_rows;
  b->memory = std::make_unique<Region>(b->stride * max_rows * 4 + 4096);
  buffers_.push_back(std::move(b));
  return (int)buffers_.size() - 1;
}

int Plan::rope(std::vector<float> plain, float plain_magnitude, std::vector<float> extended, float extended_magnitude, bool interleaved) {
  RopeTable table{{{std::move(plain), std::move(extended)}, {plain_magnitude, extended_magnitude}, interleaved}, 0, {}, {}};
  table.pairs = (int)table.rope.frequencies[0].size();
  table.cosines.resize((size_t)max_rows * table.pairs);
  table.sines.resize((size_t)max_rows * table.pairs);
  ropes_.push_back(std::move(table));
  return (int)ropes_.size() - 1;
}

void Plan::cache(int layers, int kv_heads, int head_dim, const std::string& kind) {
  if (kind != "f32" && kind != "bf16" && kind != "q8") throw std::invalid_argument("unknown cache type " + kind);
  cache_ = {layers, kv_heads, head_dim, kind == "f32" ? CacheKind::F32 : kind == "bf16" ? CacheKind::B16 : CacheKind::Q8};
  windowed_.assign(layers, false);
}

void Plan::reserve(int pages) {
  if (pages <= pages_) return;
  auto larger = std::make_unique<Region>(pages * cache_.page_bytes() + 65536);
  if (pool_pages_) memcpy(larger->data(), pool_pages_->data(), pages_ * cache_.page_bytes());
  pool_pages_ = std::move(larger);
  pages_ = pages;
}

void Plan::copy_page(int from, int to) {
  const size_t size = cache_.page_bytes();
  memcpy(pool_pages_->data() + to * size, pool_pages_->data() + from * size, size);
}

void Plan::slide_page(int i) {
  for (int layer = 0, end; layer < cache_.layers; layer = end + 1) {
    for (end = layer; end < cache_.layers && windowed_[end]; end++) {
    }
    give_back(page(i) + layer * cache_.layer_bytes(), page(i) + end * cache_.layer_bytes());
  }
}

void Plan::want_operand(int k) {
  const size_t size = (size_t)k * max_rows * 2 + 65536;
  if (size <= operand_size_) return;
  operand_size_ = size;
  for (auto& o : operands_) o = std::make_unique<Region>(size);
}

namespace {
uint8_t* grown(std::unique_ptr<Region>& region, size_t bytes) {
  if (!region || region->size() < bytes) region = std::make_unique<Region>(bytes + bytes / 2);
  return region->data();
}
}  // namespace

uint8_t* Plan::scratch(int thread, size_t bytes) { return grown(scratch_[thread], bytes); }
uint8_t* Plan::shared_scratch(size_t bytes) { return grown(scratch_.back(), bytes); }

// Angles are products in float32, as in the reference implementations; their cosines are taken in double.
void Plan::fill_ropes(const Step& step, int thread) {
  const Share rows = share(step.rows, thread, pool_.threads());
  for (auto& table : ropes_)
    for (int r = rows.begin; r < rows.end; r++) {
      const int which = step.extended[r];
      for (int i = 0; i < table.pairs; i++) {
        const float angle = (float)step.positions[r] * table.rope.frequencies[which][i];
        table.cosines[(size_t)r * table.pairs + i] = (float)cos((double)angle) * table.rope.magnitude[which];
        table.sines[(size_t)r * table.pairs + i] = (float)sin((double)angle) * table.rope.magnitude[which];
      }
    }
}

void Plan::step(Step& step) {
  pool_.run([&](int thread) {
    fill_ropes(step, thread);
    pool_.barrier();
    for (auto& op : ops_) {
      op->run(step, thread);
      pool_.barrier();
    }
  });
}

namespace {
double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
}  // namespace

double Plan::read_rate(size_t bytes) {
  Region region(bytes + 65536);
  memset(region.data(), 1, bytes);
  const size_t each = bytes / pool_.threads();
  double best = 0;
  std::atomic<uint32_t> sum{0};
  for (int round = 0; round < 4; round++)
    for (int ahead : {512, 1024, 2048}) {
      const double from = now();
      pool_.run([&](int thread) { sum += kernels_->read_all(region.data() + thread * each, each, ahead); });
      best = std::max(best, (double)bytes / (now() - from));
    }
  return best;
}

double Plan::multiply_rate() {
  double best = 0;
  for (int round = 0; round < 5; round++) {
    std::vector<double> done(pool_.threads());
    const double from = now();
    pool_.run([&](int thread) {  // for 10 ms at least: a start takes some microseconds
      while (now() - from < 0.01 || done[thread] == 0) done[thread] += kernels_->multiply_all(scratch(thread, 16384), 400000);
    });
    double total = 0;
    for (double d : done) total += d;
    best = std::max(best, total / (now() - from));
  }
  return best;
}

}  // namespace longra
