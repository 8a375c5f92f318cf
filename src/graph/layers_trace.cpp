#include "graph/layers_trace.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "graph/axis_map.h"

namespace mpq::graph {
namespace {

using Ints = std::vector<std::int64_t>;

/// A state that every step hands on as it got it: the same tensor inside the body and behind the node.
struct UnchangedState {
  int inside = -1, outside = -1;  ///< values of the table; -1 where there is none
};

/// Whether a body's output is one of its inputs, at most renamed.
bool is_input_renamed(const ValueTable& table, int body, std::string output, const std::string& input) {
  while (output != input) {
    const int value = table.find(body, output);
    if (value < 0) return false;
    const Value& here = table.values()[static_cast<std::size_t>(value)];
    if (here.graph != body || here.origin != Value::Origin::kNode) return false;
    const onnx::NodeProto& node = table.node({body, here.index, 0});
    if (node.op_type() != "Identity" || !node.domain().empty()) return false;
    output = node.input(0);
  }
  return true;
}

/// Loop (count, go, w) <body (i, go, w_in) => (go_out, w_in)>: `w_in` is `w` in every step. Exporters hand weights into
/// loops this way. The states of a Scan come first, without a count and a condition.
std::optional<UnchangedState> unchanged_state(const ValueTable& table, const Read& read) {
  const onnx::NodeProto& node = table.node(read);
  const bool loop = node.op_type() == "Loop";
  if ((!loop && node.op_type() != "Scan") || !node.domain().empty()) return std::nullopt;
  const auto& graphs = table.graphs();
  const auto body = std::find_if(graphs.begin(), graphs.end(), [&](const NestedGraph& graph) {
    return graph.parent == read.graph && graph.owner == read.node;
  });
  if (body == graphs.end() || body->graph->input_size() != node.input_size()) return std::nullopt;  // Scan of opset 8
  const int states = node.input_size() - static_cast<int>(loop ? 0 : int_attribute(node, "num_scan_inputs", 0));
  const int state = read.input - (loop ? 2 : 0), output = state + (loop ? 1 : 0);
  if (state < 0 || read.input >= states || output >= body->graph->output_size()) return std::nullopt;
  const std::string& input = body->graph->input(read.input).name();
  const int number = static_cast<int>(body - graphs.begin());
  if (!is_input_renamed(table, number, body->graph->output(output).name(), input)) return std::nullopt;
  return UnchangedState{table.find(number, input),
                        state < node.output_size() ? table.find(read.graph, node.output(state)) : -1};
}

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
    } else if (const auto state = unchanged_state(table_, read)) {
      push(state->inside, map);
      push(state->outside, map);
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
