#include "graph/adjoint/facts.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "graph/model_impl.h"
#include "graph/scopes.h"
#include "graph/types.h"
#include "graph/values.h"
#include "support/damage.h"

namespace mpq::graph::adjoint {

namespace {

/// How a value depends on the content of the inputs: not at all, in its numbers, or even in its shape.
enum Dependence { kNone = 0, kContent = 1, kShape = 2 };

/// Operands that decide the shape of the result, as a mask of input positions.
const std::unordered_map<std::string, unsigned>& shape_operands() {
  static const std::unordered_map<std::string, unsigned> table = {
      {"Reshape", 2},  {"Expand", 2},        {"ConstantOfShape", 1}, {"Slice", 30},  {"Range", 7},
      {"Tile", 2},     {"Pad", 2},           {"Resize", 12},         {"TopK", 2},    {"OneHot", 2},
      {"Split", 2},    {"Unsqueeze", 2},     {"Squeeze", 2},         {"NonZero", 1}, {"Unique", 1},
      {"Compress", 2}, {"CenterCropPad", 2},
  };
  return table;
}

class Dependences {
 public:
  explicit Dependences(const onnx::GraphProto& graph) {
    for (const auto& input : graph.input()) levels_[input.name()] = kContent;
    for (const auto& tensor : graph.initializer()) levels_[tensor.name()] = kNone;
    for (const auto& node : graph.node()) visit(node);
  }
  bool none(const std::string& value) const {
    const auto found = levels_.find(value);
    return found != levels_.end() && found->second == kNone;
  }

 private:
  int level(const std::string& value) const {
    const auto found = levels_.find(value);
    return found == levels_.end() ? kNone : found->second;
  }

  int of(const onnx::NodeProto& node) const {
    int result = deterministic(node) ? kNone : kContent;
    for_each_read(node, [&](const std::string& value) { result = std::max(result, level(value)); });
    if (node.op_type() == "Shape" || node.op_type() == "Size") return result == kShape ? kContent : kNone;
    if (result == kNone) return kNone;
    if (has_body(node) || !(node.domain().empty() || node.domain() == "ai.onnx")) return kShape;
    const auto operands = shape_operands().find(node.op_type());
    for (int i = 0; operands != shape_operands().end() && i < node.input_size(); ++i) {
      if ((operands->second >> i & 1U) != 0 && level(node.input(i)) != kNone) return kShape;
    }
    return result;
  }

  void visit(const onnx::NodeProto& node) {
    const int result = of(node);
    for (const auto& output : node.output()) levels_[output] = result;
  }

  std::unordered_map<std::string, int> levels_;
};

}  // namespace

std::unordered_set<std::string> fixed_values(const onnx::ModelProto& model) {
  const Dependences dependences(model.graph());
  std::unordered_set<std::string> result;
  for (const auto& node : model.graph().node()) {
    for (const auto& output : node.output()) {
      if (!output.empty() && dependences.none(output)) result.insert(output);
    }
  }
  return result;
}

ValueFacts observed(const Tensor& value, bool fixed) {
  ValueFacts facts{value.type(), value.shape(), {}, false};
  if (fixed && value.size() <= kMostNumbers && value.type() != DType::kString) {
    facts.numbers = to_doubles(value);
    facts.fixed = true;
  }
  return facts;
}

void add_initializer_facts(const onnx::ModelProto& model, const TensorStore& store, FactsMap& facts) {
  for (const auto& tensor : model.graph().initializer()) {
    const Shape shape(tensor.dims().begin(), tensor.dims().end());
    if (element_bits(tensor.data_type()) % 8 != 0 || element_bits(tensor.data_type()) == 0) continue;
    ValueFacts known{dtype_of(tensor.data_type()), shape, {}, false};
    if (count_of(shape) <= kMostNumbers) {
      Tensor value(known.dtype, shape);
      std::string scratch;
      const auto bytes = raw_bytes(tensor, store, scratch);
      if (value.size_bytes() == bytes.size() && !bytes.empty()) {
        std::memcpy(value.mutable_data(), bytes.data(), bytes.size());
      }
      known = observed(value, value.size_bytes() == bytes.size());
    }
    facts.insert_or_assign(tensor.name(), std::move(known));
  }
}

}  // namespace mpq::graph::adjoint
