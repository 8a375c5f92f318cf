#include "graph/function_weights.h"

#include <algorithm>
#include <unordered_map>

#include "graph/scopes.h"
#include "graph/values.h"

namespace mpq::graph {
namespace {

std::string plain_domain(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

/// True when the node takes an attribute from the function's call, so that its value is not known here.
bool depends_on_call(const onnx::NodeProto& node) {
  const auto& attributes = node.attribute();
  return std::any_of(attributes.begin(), attributes.end(), [](const auto& a) { return !a.ref_attr_name().empty(); });
}

const onnx::TensorProto* constant_in(const onnx::FunctionProto& function, const std::string& name) {
  for (const auto& node : function.node()) {
    const onnx::TensorProto* tensor = constant_tensor(node);
    if (tensor && node.output(0) == name) return tensor;
  }
  return nullptr;
}

AxisMap follow_inside(const onnx::FunctionProto& function, const onnx::NodeProto& node, int input, const AxisMap& map) {
  if (depends_on_call(node)) return AxisMap::lost();
  const auto operand = [&](int i) { return i < node.input_size() ? constant_in(function, node.input(i)) : nullptr; };
  const auto ints = [&](int i) { return int64_values(operand(i)); };
  const auto rank = [&](int i) {
    const onnx::TensorProto* tensor = operand(i);
    return tensor ? tensor->dims_size() : -1;
  };
  return follow(map, node, input, ints, rank);
}

}  // namespace

/// What one search carries through nested calls. That an argument leads to no weight does not depend on its axes, so
/// no argument has to be looked at twice.
struct FunctionWeights::Query {
  const std::vector<std::int64_t>& stored_shape;
  Visited visited;
};

FunctionWeights::FunctionWeights(const onnx::ModelProto& model) {
  for (const auto& function : model.functions()) {
    if (function.domain() == kFunctionDomain) continue;  // what mpq packed is no weight any more, nor are its scales
    functions_.emplace(Id(plain_domain(function.domain()), function.name(), function.overload()), &function);
  }
}

std::optional<WeightRole> FunctionWeights::role(const onnx::NodeProto& call, int input, const AxisMap& map,
                                                const std::vector<std::int64_t>& stored_shape) const {
  Query query{stored_shape, {}};
  return search(call, input, map, query);
}

std::optional<WeightRole> FunctionWeights::search(const onnx::NodeProto& call, int input, const AxisMap& map,
                                                  Query& query) const {
  const auto found = functions_.find(Id(plain_domain(call.domain()), call.op_type(), call.overload()));
  if (found == functions_.end()) return std::nullopt;
  const onnx::FunctionProto& function = *found->second;
  if (input >= function.input_size() || !query.visited.insert({&function, input}).second) return std::nullopt;
  std::unordered_map<std::string, AxisMap> seen = {{function.input(input), map}};
  for (const auto& node : function.node()) {
    for (int i = 0; i < node.input_size(); ++i) {
      const auto value = seen.find(node.input(i));
      if (value == seen.end()) continue;
      const AxisMap here = value->second;
      if (takes_weight(node, i)) {
        return stored_role(depends_on_call(node) ? AxisMap::lost() : here, node, i, query.stored_shape);
      }
      if (passes_weight_on(node, i) && !is_arithmetic(node)) {
        const AxisMap next = follow_inside(function, node, i, here);
        for (const auto& output : node.output()) seen.try_emplace(output, next);
      } else if (const auto inner = search(node, i, here, query)) {
        return inner;
      }
    }
  }
  return std::nullopt;
}

}  // namespace mpq::graph
