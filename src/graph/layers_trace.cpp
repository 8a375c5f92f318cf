#include "graph/layers_trace.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "graph/axis_map.h"

namespace mpq::graph {
namespace {

using Ints = std::vector<std::int64_t>;

/// Follows one stored tensor. The first path to a value decides how its axes are seen.
class Tracer {
 public:
  Tracer(const ValueTable& table, const FunctionWeights& functions, const Ints& shape)
      : table_(table),
        functions_(functions),
        shape_(shape),
        is_vector_(std::count_if(shape.begin(), shape.end(), [](std::int64_t extent) { return extent != 1; }) < 2) {}

  WeightTrace run(int start) {
    push(start, AxisMap::identity(shape_));
    while (!open_.empty()) {
      const auto [value, map] = std::move(open_.back());
      open_.pop_back();
      const Value& here = table_.values()[static_cast<std::size_t>(value)];
      if (here.graph_output) trace_.reaches_output = true;
      for (const Read& read : here.reads) enter(read, map);
    }
    return std::move(trace_);
  }

 private:
  void push(int value, AxisMap map) {
    if (value >= 0 && seen_.insert(value).second) open_.emplace_back(value, std::move(map));
  }

  void enter(const Read& read, const AxisMap& map) {
    const onnx::NodeProto& node = table_.node(read);
    if (is_quantized_operator(node)) {
      trace_.quantized.push_back(read);
    } else if (is_vector_ && is_arithmetic(node)) {
      trace_.others.push_back(read);  // a factor or offset per channel of some weight
    } else if (passes_weight_on(node, read.input) && table_.constant_node(read.graph, read.node)) {
      pass_through(read, map);
    } else if (takes_weight(node, read.input)) {
      use(read, stored_role(map, node, read.input, shape_));
    } else if (const auto role = functions_.role(node, read.input, map, shape_)) {
      use(read, *role);
    } else {
      trace_.others.push_back(read);
    }
  }

  void use(const Read& read, const WeightRole& role) {
    if (entered_.insert({read.graph, read.node, read.input}).second) trace_.uses.push_back({read, role});
  }

  void pass_through(const Read& read, const AxisMap& map) {
    const onnx::NodeProto& node = table_.node(read);
    const auto ints = [&](int input) { return int64_values(operand(read, input)); };
    const auto rank = [&](int input) { return stored_rank(read, input); };
    const AxisMap next = follow(map, node, read.input, ints, rank);
    for (const auto& output : node.output()) push(table_.find(read.graph, output), next);
  }

  const onnx::TensorProto* operand(const Read& read, int input) const {
    const onnx::NodeProto& node = table_.node(read);
    if (input >= node.input_size()) return nullptr;
    const int value = table_.find(read.graph, node.input(input));
    return value < 0 ? nullptr : table_.tensor(table_.values()[static_cast<std::size_t>(value)]);
  }

  int stored_rank(const Read& read, int input) const {
    const onnx::TensorProto* tensor = operand(read, input);
    return tensor ? tensor->dims_size() : -1;
  }

  const ValueTable& table_;
  const FunctionWeights& functions_;
  const Ints& shape_;
  const bool is_vector_;
  WeightTrace trace_;
  std::vector<std::pair<int, AxisMap>> open_;
  std::set<int> seen_;
  std::set<std::tuple<int, int, int>> entered_;
};

}  // namespace

WeightTrace trace_weight(const ValueTable& table, const FunctionWeights& functions, int start,
                         const std::vector<std::int64_t>& shape) {
  return Tracer(table, functions, shape).run(start);
}

}  // namespace mpq::graph
