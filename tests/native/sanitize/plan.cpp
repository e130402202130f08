// A small model on every instruction set and stored type, for the sanitizers: prompts in chunks, single tokens of many texts,
// forks, a page pool that grows. All of it on 1, 2 and 4 threads, which must give the same bits.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "../../../native/runtime/cpu.h"
#include "../../../native/runtime/ops.h"

using namespace longra;

namespace {

// Elements and bytes of a block of a stored type, and where its half-precision scales are.
struct Stored {
  const char* name;
  int count, bytes;
  std::vector<int> scales;
};
const std::vector<Stored> kStored = {
    {"F32", 1, 4, {}},           {"BF16", 1, 2, {}},        {"F16", 1, 2, {}},          {"Q8_0", 32, 34, {0}},
    {"Q4_0", 32, 18, {0}},       {"Q4_1", 32, 20, {0, 2}},  {"Q5_0", 32, 22, {0}},      {"Q5_1", 32, 24, {0, 2}},
    {"Q2_K", 256, 84, {80, 82}}, {"Q3_K", 256, 110, {108}}, {"Q4_K", 256, 144, {0, 2}}, {"Q5_K", 256, 176, {0, 2}},
    {"Q6_K", 256, 210, {208}},   {"IQ4_NL", 32, 18, {0}},   {"IQ4_XS", 256, 136, {0}},
};

// What a model is made of: weights of one type and the form to store them in (or ""), the cache's kind, width of a head.
struct Kind {
  const Stored& stored;
  std::string target, cache;
  int head_dim;
};

constexpr int kHidden = 256, kVocabulary = 83, kLayers = 2;  // 256: all stored types have rows of it
constexpr int kOutWidth = (kVocabulary + 15) / 16 * 16;

class Model {
 public:
  Model(const Kind& kind, int threads, const std::string& isa) : plan(threads, isa), kind_(kind) {
    const int heads = kHidden / kind.head_dim, kv_heads = std::max(1, heads / 4), kv_width = kv_heads * kind.head_dim;
    plan.cache(kLayers, kv_heads, kind.head_dim, kind.cache);
    const int x = plan.buffer(kHidden, false), qkv = plan.buffer(kHidden + 2 * kv_width, false);
    const int mixed = plan.buffer(kHidden, false), gated = plan.buffer(2 * kHidden, false), last = plan.buffer(kHidden, true);
    std::vector<float> frequencies;
    for (int i = 0; i < kind.head_dim / 2; i++) frequencies.push_back(std::pow(10000.0f, -2.0f * (float)i / (float)kind.head_dim));
    const int rope = plan.rope(frequencies, 1.0f, frequencies, 1.0f, false);
    plan.add(std::make_unique<EmbedOp>(plan, matrix(kVocabulary), x, 100.0f));
    for (int layer = 0; layer < kLayers; layer++) {
      linear({x,
              qkv,
              Input::Norm,
              norm(),
              Activate::Silu,
              {{matrix(kHidden), -1, 0}, {matrix(kv_width), vector(kv_width), kHidden}, {matrix(kv_width), -1, kHidden + kv_width}},
              false,
              false,
              false,
              false});
      const float scale = 1 / std::sqrt((float)kind.head_dim);
      const AttentionShape shape{heads, kv_heads, kind.head_dim, scale, layer ? 20.0f : 0.0f, layer ? 40 : 0, nullptr};
      AttentionSpec attention{qkv, qkv, qkv, 0, kHidden, kHidden + kv_width, mixed, layer, rope, shape, -1, -1, -1, -1, -1, 1e-6f, 0.0f};
      if (layer == 0)
        attention.k_shift = vector(kv_width), attention.k_scale = vector(kv_width), attention.sinks = vector(heads);
      else
        attention.q_norm = vector(kind.head_dim), attention.k_norm = vector(kind.head_dim);
      plan.add(std::make_unique<AttentionOp>(plan, attention));
      linear({mixed, x, Input::Plain, norm(), Activate::Silu, {{matrix(kHidden), -1, 0}}, true, false, false, false});
      const bool finish = kind.target != "f32";
      linear({x,
              gated,
              Input::Norm,
              norm(),
              Activate::Silu,
              {{matrix(kHidden), -1, 0}, {matrix(kHidden), -1, kHidden}},
              false,
              finish,
              false,
              false});
      linear({gated, x, Input::Gated, norm(), Activate::Silu, {{matrix(kHidden), -1, 0}}, true, false, false, finish});
    }
    plan.add(std::make_unique<RowsOp>(plan, Elementwise::SelectLogits, x, last, Activate::Silu));
    linear({last, -1, Input::Norm, norm(), Activate::Silu, {{matrix(kVocabulary), -1, 0}}, false, false, false, false});
  }

  // The logits of each segment's last row, and the attention mass if it is wanted, go to the end of `results`.
  void step(bool decode, std::vector<Segment> segments, bool want_mass = false) {
    std::vector<int32_t> tokens, positions, wanted;
    for (Segment& s : segments) {
      s.row = (int)tokens.size();
      for (int i = 0; i < s.rows; i++) tokens.push_back((s.start + i) * 31 % kVocabulary), positions.push_back(s.start + i);
      wanted.push_back((int)tokens.size() - 1);
    }
    const std::vector<uint8_t> extended(tokens.size());
    std::vector<float> out(wanted.size() * kOutWidth);
    constexpr size_t positions_at_most = 192;
    std::vector<float> mass(want_mass ? tokens.size() * positions_at_most : 0);
    Step step{decode,
              (int)tokens.size(),
              (int)wanted.size(),
              tokens.data(),
              positions.data(),
              extended.data(),
              wanted.data(),
              segments,
              out.data(),
              (size_t)kOutWidth,
              want_mass ? mass.data() : nullptr,
              positions_at_most};
    plan.step(step);
    results.insert(results.end(), out.begin(), out.end());
    results.insert(results.end(), mass.begin(), mass.end());
  }

  Plan plan;
  std::vector<float> results;

 private:
  int matrix(int rows) {
    const Stored& s = kind_.stored;
    const size_t row_bytes = (size_t)kHidden / s.count * s.bytes;
    std::vector<uint8_t> data(rows * row_bytes);
    for (uint8_t& byte : data) byte = (uint8_t)draw_();
    for (size_t block = 0; block < data.size(); block += s.bytes) {
      if (s.count == 1) data[block + s.bytes - 1] = (uint8_t)((draw_() & 0x80) | (s.bytes == 2 && s.name[1] == '1' ? 0x28 : 0x3c));
      for (int at : s.scales) data[block + at + 1] = 0x08;  // about 1e-4
    }
    const int id = plan.matrix(s.name, rows, kHidden, kind_.target);
    const int first = rows / 32 * 16;
    if (first) plan.fill(id, s.name, data.data(), row_bytes, 0, first);
    plan.fill(id, s.name, data.data() + first * row_bytes, row_bytes, first, rows - first);
    return id;
  }
  int vector(int width) {
    std::vector<float> values(width);
    for (float& v : values) v = 1.0f + (float)(draw_() % 256) / 1024;
    return plan.vector(values.data(), width);
  }
  NormSpec norm() { return {false, vector(kHidden), -1, 1e-6f, 0.0f}; }
  void linear(LinearSpec spec) { plan.add(std::make_unique<LinearOp>(plan, std::move(spec))); }

  const Kind& kind_;
  std::mt19937 draw_{1};
};

// Two prompts in chunks that share steps; a fork that copies the page in the making; then all texts token by token.
std::vector<float> results_of(const Kind& kind, int threads, const std::string& isa) {
  Model model(kind, threads, isa);
  const std::vector<int32_t> first = {3, 0, 5}, second = {1}, fork = {3, 4};
  model.plan.reserve(4);
  model.step(false, {{0, 70, 0, first.data()}, {0, 9, 0, second.data()}});
  model.plan.reserve(6);
  model.plan.copy_page(0, 4);
  model.step(false, {{0, 33, 70, first.data()}, {0, 1, 9, second.data()}, {0, 2, 70, fork.data()}});
  model.step(true, {{0, 1, 103, first.data()}}, true);
  model.step(true, {{0, 1, 10, second.data()}, {0, 1, 72, fork.data()}, {0, 1, 104, first.data()}}, true);
  model.step(true, {{0, 30, 105, first.data()}, {0, 1, 73, fork.data()}});
  return model.results;
}

bool check(const Kind& kind, const std::string& isa) {
  const std::vector<float> wanted = results_of(kind, 1, isa);
  const bool finite = std::all_of(wanted.begin(), wanted.end(), [](float v) { return std::isfinite(v); });
  bool same = true;
  for (int threads : {2, 4}) {
    const std::vector<float> found = results_of(kind, threads, isa);
    same &= std::memcmp(wanted.data(), found.data(), wanted.size() * sizeof(float)) == 0;
  }
  if (!finite || !same)
    std::printf("%s %s %s: %s\n", isa.c_str(), kind.stored.name, kind.target.c_str(), finite ? "threads change bits" : "not finite");
  return finite && same;
}

}  // namespace

// check_plan few|all [instruction set]...: a few stored types or all of them; without a set, all sets that can run.
int main(int count, char** arguments) {
  const bool few = count > 1 && !std::strcmp(arguments[1], "few");
  if (!few && (count < 2 || std::strcmp(arguments[1], "all"))) return std::fprintf(stderr, "usage: check_plan few|all [set]...\n"), 2;
  const auto sets = count > 2 ? std::vector<std::string>(arguments + 2, arguments + count) : cpu::usable();
  const Stored& float32 = kStored[0];
  std::vector<Kind> kinds = {{float32, "f32", "f32", 64}};
  const int widths[] = {32, 128, 64};
  for (size_t i = 0; i < kStored.size(); i++) {
    const std::string name = kStored[i].name;
    if (!few || name == "BF16" || name == "Q4_1" || name == "Q6_K") kinds.push_back({kStored[i], "", i % 2 ? "bf16" : "q8", widths[i % 3]});
  }
  if (!few) kinds.push_back({float32, "q8", "q8", 64}), kinds.push_back({float32, "q4", "bf16", 64});
  int wrong = 0;
  for (const std::string& isa : sets)
    for (const Kind& kind : kinds) wrong += !check(kind, isa);
  std::printf("%zu models on each of %zu instruction sets, %d wrong\n", kinds.size(), sets.size(), wrong);
  return wrong != 0;
}
