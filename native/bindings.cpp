// The native module: build a plan, run steps. Everything is checked here, so that no argument can crash the interpreter.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#if defined(__GLIBC__) || defined(__linux__)
#include <malloc.h>
#endif

#include <cstring>
#include <limits>
#include <stdexcept>

#include "runtime/cpu.h"
#include "runtime/ops.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace longra;

namespace {

using Bytes = nb::ndarray<const uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Page = nb::ndarray<uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Vector = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Ints = nb::ndarray<const int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Out = nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

void require(bool ok, const char* what) {
  if (!ok) throw std::invalid_argument(what);
}

Activate activate_of(const std::string& name) {
  if (name == "silu") return Activate::Silu;
  if (name == "gelu") return Activate::Gelu;
  if (name == "gelu_tanh") return Activate::GeluTanh;
  if (name == "relu") return Activate::Relu;
  throw std::invalid_argument("unknown activation " + name);
}

// What tokenizers and readers have freed goes back to the system.
void give_back_freed_memory() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

using Norm = std::tuple<bool, int, int, float, float>;  // mean, weight, bias, eps, shift
NormSpec norm_of(const Norm& n) { return {std::get<0>(n), std::get<1>(n), std::get<2>(n), std::get<3>(n), std::get<4>(n)}; }

void linear(Plan& plan, int from, int to, const std::string& input, const Norm& norm, const std::string& kind,
            const std::vector<std::tuple<int, int, int>>& parts, bool add, bool finish_gate, bool finish_activate, bool operand_ready) {
  LinearSpec spec{from, to, Input::Plain, norm_of(norm), activate_of(kind), {}, add, finish_gate, finish_activate, operand_ready};
  if (input == "norm")
    spec.input = Input::Norm;
  else if (input == "gated")
    spec.input = Input::Gated;
  else if (input == "activated")
    spec.input = Input::Activated;
  else
    require(input == "plain", "unknown input");
  for (const auto& [matrix, bias, column] : parts) spec.parts.push_back({matrix, bias, column});
  require(!spec.parts.empty(), "a product needs a matrix");
  plan.add(std::make_unique<LinearOp>(plan, std::move(spec)));
}

void attention(Plan& plan, std::tuple<int, int> q, std::tuple<int, int> k, std::tuple<int, int> v, int to, int layer, int rope, int heads,
               int kv_heads, int head_dim, float scale, float softcap, int window, int q_norm, int k_norm, int k_shift, int k_scale,
               int sinks, float eps, float shift) {
  require(head_dim <= 512, "a head may be at most 512 wide");
  if (window) plan.has_window(layer);
  plan.add(std::make_unique<AttentionOp>(plan, AttentionSpec{std::get<0>(q),
                                                             std::get<0>(k),
                                                             std::get<0>(v),
                                                             std::get<1>(q),
                                                             std::get<1>(k),
                                                             std::get<1>(v),
                                                             to,
                                                             layer,
                                                             rope,
                                                             {heads, kv_heads, head_dim, scale, softcap, window, nullptr},
                                                             q_norm,
                                                             k_norm,
                                                             k_shift,
                                                             k_scale,
                                                             sinks,
                                                             eps,
                                                             shift}));
}

// segments: (rows, start position, pages offset) one after the other; pages: all page tables joined. mass: [rows][positions] or none.
void step(Plan& plan, bool decode, Ints tokens, const std::vector<std::tuple<int, int, int, bool>>& segments, Ints pages, Ints logit_rows,
          Out out, std::optional<Out> mass) {
  Step s{};
  const size_t rows = tokens.size();
  require(rows >= 1 && rows <= (size_t)Plan::max_rows, "a step has 1 to 512 rows");
  require(out.shape(0) == logit_rows.size() && out.shape(1) % kBlockRows == 0, "logits have the wrong shape");
  std::vector<int32_t> positions;
  std::vector<uint8_t> extended;
  for (const auto& [count, start, offset, is_extended] : segments) {
    require(count >= 1 && start >= 0 && offset >= 0 && start <= std::numeric_limits<int32_t>::max() - count, "a segment is out of range");
    require((size_t)offset + (start + count + kPageTokens - 1) / kPageTokens <= pages.size(), "a segment has too few pages");
    s.segments.push_back({(int)positions.size(), count, start, pages.data() + offset});
    for (int i = 0; i < count; i++) positions.push_back(start + i), extended.push_back(is_extended);
  }
  require(positions.size() == rows, "segments and tokens differ in number");
  for (size_t i = 0; i < logit_rows.size(); i++) require(logit_rows.data()[i] >= 0 && (size_t)logit_rows.data()[i] < rows, "no such row");
  s.decode = decode;
  s.rows = (int)rows;
  s.logits = (int)logit_rows.size();
  s.tokens = tokens.data();
  s.positions = positions.data();
  s.extended = extended.data();
  s.logit_rows = logit_rows.data();
  s.out = out.data();
  s.out_stride = out.shape(1);
  if (mass) {
    require(decode && segments.size() == 1, "attention mass is for the decode rows of one sequence");
    require(mass->shape(0) == rows && mass->shape(1) > (size_t)positions.back(), "mass has the wrong shape");
    s.mass = mass->data();
    s.mass_stride = mass->shape(1);
  }
  nb::gil_scoped_release unlocked;
  plan.step(s);
}

}  // namespace

NB_MODULE(_native, m) {
  m.attr("PAGE_TOKENS") = kPageTokens;
  m.attr("MAX_ROWS") = Plan::max_rows;
  m.def("usable", &cpu::usable);
  m.def("trim", &give_back_freed_memory);
  m.def("features", &cpu::features);
  nb::class_<Plan>(m, "Plan")
      .def(nb::init<int, const std::string&>(), "threads"_a, "isa"_a)
      .def(
          "matrix",
          [](Plan& plan, const std::string& kind, int rows, int inputs, const std::string& target) {
            require(rows > 0 && inputs > 0, "a matrix has the wrong size");
            return plan.matrix(kind, rows, inputs, target);
          },
          "kind"_a, "rows"_a, "inputs"_a, "target"_a)
      .def(
          "fill",
          [](Plan& plan, int matrix, const std::string& kind, Bytes stored, size_t row_bytes, int first) {
            require(plan.has_matrix(matrix) && row_bytes > 0 && stored.size() % row_bytes == 0, "rows have the wrong size");
            const size_t rows = stored.size() / row_bytes;
            require(first >= 0 && first % kBlockRows == 0 && rows + first <= (size_t)plan.matrix_at(matrix).rows, "rows are out of range");
            nb::gil_scoped_release unlocked;
            plan.fill(matrix, kind, stored.data(), row_bytes, first, (int)rows);
          },
          "matrix"_a, "kind"_a, "stored"_a, "row_bytes"_a, "first"_a)
      .def(
          "vector", [](Plan& plan, Vector values) { return plan.vector(values.data(), (int)values.size()); }, "values"_a)
      .def("buffer", &Plan::buffer, "width"_a, "logits_rows"_a)
      .def("rope", &Plan::rope, "plain"_a, "plain_magnitude"_a, "extended"_a, "extended_magnitude"_a, "interleaved"_a)
      .def("cache", &Plan::cache, "layers"_a, "kv_heads"_a, "head_dim"_a, "kind"_a)
      .def(
          "embed", [](Plan& p, int table, int to, float scale) { p.add(std::make_unique<EmbedOp>(p, table, to, scale)); }, "table"_a,
          "to"_a, "scale"_a)
      .def(
          "position", [](Plan& p, int table, int to, int offset) { p.add(std::make_unique<PositionOp>(p, table, to, offset)); }, "table"_a,
          "to"_a, "offset"_a)
      .def(
          "norm",
          [](Plan& p, int from, int to, const Norm& norm, bool accumulate) {
            p.add(std::make_unique<NormOp>(p, from, to, norm_of(norm), accumulate));
          },
          "source"_a, "to"_a, "norm"_a, "accumulate"_a)
      .def(
          "rows",
          [](Plan& p, const std::string& what, int from, int to, const std::string& kind) {
            Elementwise e = Elementwise::Copy;
            if (what == "add")
              e = Elementwise::Add;
            else if (what == "multiply")
              e = Elementwise::Multiply;
            else if (what == "activate")
              e = Elementwise::Activate;
            else if (what == "select")
              e = Elementwise::SelectLogits;
            else
              require(what == "copy", "unknown operation");
            p.add(std::make_unique<RowsOp>(p, e, from, to, activate_of(kind)));
          },
          "what"_a, "source"_a, "to"_a, "kind"_a = "silu")
      .def("linear", &linear, "source"_a, "to"_a, "input"_a, "norm"_a, "kind"_a, "parts"_a, "add"_a, "finish_gate"_a, "finish_activate"_a,
           "operand_ready"_a)
      .def("attention", &attention, "q"_a, "k"_a, "v"_a, "to"_a, "layer"_a, "rope"_a, "heads"_a, "kv_heads"_a, "head_dim"_a, "scale"_a,
           "softcap"_a, "window"_a, "q_norm"_a, "k_norm"_a, "k_shift"_a, "k_scale"_a, "sinks"_a, "eps"_a, "shift"_a)
      .def("reserve", &Plan::reserve, "pages"_a)
      .def("copy_page", &Plan::copy_page, "source"_a, "target"_a)
      .def(
          "slide_page",
          [](Plan& plan, int page) {
            require(plan.has_page(page), "no such page");
            plan.slide_page(page);
          },
          "page"_a)
      .def(
          "read_page",
          [](Plan& plan, int page, Page out) {
            require(plan.has_page(page) && out.size() == plan.page_bytes(), "no such page, or the wrong size");
            nb::gil_scoped_release unlocked;
            memcpy(out.data(), plan.page(page), plan.page_bytes());
          },
          "page"_a, "out"_a)
      .def(
          "write_page",
          [](Plan& plan, int page, Bytes data) {
            require(plan.has_page(page) && data.size() == plan.page_bytes(), "no such page, or the wrong size");
            nb::gil_scoped_release unlocked;
            memcpy(plan.page(page), data.data(), plan.page_bytes());
          },
          "page"_a, "data"_a)
      .def("step", &step, "decode"_a, "tokens"_a, "segments"_a, "pages"_a, "logit_rows"_a, "out"_a, "mass"_a = nb::none())
      .def("read_rate", &Plan::read_rate, "bytes"_a, nb::call_guard<nb::gil_scoped_release>())
      .def("multiply_rate", &Plan::multiply_rate, nb::call_guard<nb::gil_scoped_release>())
      .def_prop_ro("product_bytes", &Plan::product_bytes)
      .def_prop_ro("product_weights", &Plan::product_weights)
      .def_prop_ro("weight_bytes", &Plan::weight_bytes)
      .def_prop_ro("page_bytes", &Plan::page_bytes);
}
