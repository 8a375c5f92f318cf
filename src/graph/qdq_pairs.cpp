#include "graph/qdq_pairs.h"

#include <algorithm>
#include <set>
#include <utility>

#include "graph/values.h"

namespace mpq::graph {

namespace {

using onnx::NodeProto;
using onnx::TensorProto;

bool is_one(const NodeProto& node, const char* op_type) {
  // ONNX Runtime's own domain has both operators too, for types that older opsets lack.
  const bool known = node.domain().empty() || node.domain() == "ai.onnx" || node.domain() == "com.microsoft";
  return known && node.op_type() == op_type;
}

/// Operators that stand before activation functions.
bool may_precede_activation(const NodeProto& node) {
  static const std::set<std::string> kOperators = {"Add",
                                                   "BatchNormalization",
                                                   "Conv",
                                                   "ConvTranspose",
                                                   "Div",
                                                   "Gemm",
                                                   "GroupNormalization",
                                                   "Einsum",
                                                   "LayerNormalization",
                                                   "InstanceNormalization",
                                                   "Mul",
                                                   "MatMul",
                                                   "Sub",
                                                   "Sum"};
  return kOperators.count(node.op_type()) > 0;
}

bool has_zero_point(const NodeProto& node) { return node.input_size() > 2 && !node.input(2).empty(); }

class Finder {
 public:
  explicit Finder(const Model::Impl& impl) : store_(*impl.store), table_(impl.proto, false) {}

  std::vector<Undone> run() const {
    std::vector<Undone> all;
    for (std::size_t g = 0; g < table_.graphs().size(); ++g) {
      const onnx::GraphProto& graph = *table_.graphs()[g].graph;
      for (int i = 0; i < graph.node_size(); ++i) {
        if (!is_one(graph.node(i), "DequantizeLinear") || graph.node(i).output_size() != 1) continue;
        auto found = look_at(static_cast<int>(g), i);
        if (found) all.push_back(*std::move(found));
      }
    }
    return all;
  }

 private:
  /// The tensor an input is wired to; null for an input that is left out, computed, or may be given by the caller.
  const TensorProto* constant(int graph, const NodeProto& node, int input) const {
    return input < node.input_size() ? table_.tensor(graph, node.input(input)) : nullptr;
  }

  std::optional<Undone> look_at(int graph, int index) const {
    const NodeProto& node = table_.graphs()[static_cast<std::size_t>(graph)].graph->node(index);
    Undone undone;
    undone.graph = graph;
    undone.node = index;
    const TensorProto* scale = constant(graph, node, 1);
    if (scale != nullptr) undone.element_type = scale->data_type();
    if (const TensorProto* x = constant(graph, node, 0)) {
      const TensorProto* zero_point = constant(graph, node, 2);
      if (scale == nullptr || (zero_point == nullptr && has_zero_point(node))) return std::nullopt;
      undone.weight = dequantize_tensor(node, *x, *scale, zero_point, store_);
      return undone.weight ? std::optional(std::move(undone)) : std::nullopt;
    }
    const NodeProto* rounding = table_.producer(graph, node.input(0));
    if (rounding == nullptr || !is_one(*rounding, "QuantizeLinear")) return std::nullopt;
    const int home = table_.values()[static_cast<std::size_t>(table_.find(graph, node.input(0)))].graph;
    if (!undoes(graph, node, home, *rounding)) return std::nullopt;
    undone.source = rounding->input(0);
    undone.upper = upper_bound(home, *rounding);
    return undone;
  }

  /// True when both nodes have the same scale and zero point.
  bool undoes(int graph, const NodeProto& node, int rounding_graph, const NodeProto& rounding) const {
    if (has_zero_point(node) != has_zero_point(rounding)) return false;
    for (int input = 1; input < (has_zero_point(node) ? 3 : 2); ++input) {
      if (input >= rounding.input_size()) return false;
      if (table_.find(graph, node.input(input)) == table_.find(rounding_graph, rounding.input(input))) continue;
      const TensorProto* one = constant(graph, node, input);
      const TensorProto* other = constant(rounding_graph, rounding, input);
      if (one == nullptr || other == nullptr || !same_numbers(*one, *other)) return false;
    }
    return true;
  }

  bool same_numbers(const TensorProto& one, const TensorProto& other) const {
    std::string scratch, scratch_other;
    const auto bytes = raw_bytes(one, store_, scratch);
    const auto bytes_other = raw_bytes(other, store_, scratch_other);
    return one.data_type() == other.data_type() && std::ranges::equal(bytes, bytes_other);
  }

  std::optional<float> upper_bound(int graph, const NodeProto& rounding) const {
    const NodeProto* source = table_.producer(graph, rounding.input(0));
    if (source == nullptr || !may_precede_activation(*source)) return std::nullopt;
    const TensorProto* scale = constant(graph, rounding, 1);
    const TensorProto* zero_point = constant(graph, rounding, 2);
    if (scale == nullptr || (zero_point == nullptr && has_zero_point(rounding))) return std::nullopt;
    const auto type = integer_type(zero_point == nullptr ? TensorProto::UINT8 : zero_point->data_type());
    const auto step = single_number(scale, store_);
    const auto zero = single_number(zero_point, store_);
    if (!type || !step || !zero || *zero != type->lowest()) return std::nullopt;
    return static_cast<float>((type->highest() - *zero) * *step);
  }

  const TensorStore& store_;
  ValueTable table_;
};

}  // namespace

std::vector<Undone> find_undone(const Model::Impl& impl) { return Finder(impl).run(); }

}  // namespace mpq::graph
