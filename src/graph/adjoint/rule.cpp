#include "graph/adjoint/rule.h"

#include <algorithm>
#include <unordered_set>

namespace mpq::graph::adjoint {

namespace {

const onnx::AttributeProto* find(const onnx::NodeProto& node, std::string_view name) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

}  // namespace

void RuleCall::give(int input, std::string adjoint) {
  given.resize(static_cast<std::size_t>(node.input_size()));
  given[static_cast<std::size_t>(input)] = std::move(adjoint);
}

void RuleCall::give_unbroadcast(int input, const std::string& adjoint) {
  give(input, b.sum_to(adjoint, ys(), xs(input)));
}

void RuleCall::only(std::initializer_list<int> inputs) const {
  for (int i = 0; i < node.input_size(); ++i) {
    if (wants(i) && std::find(inputs.begin(), inputs.end(), i) == inputs.end()) {
      throw NoRule("its input " + std::to_string(i) + " depends on a weight");
    }
  }
}

std::vector<double> RuleCall::numbers(int input) const {
  const ValueFacts& facts = b.facts(x(input));
  if (!facts.fixed) throw NoRule("its input " + std::to_string(input) + " depends on the data");
  return facts.numbers;
}

Shape RuleCall::ints(int input) const {
  Shape result;
  for (const double number : numbers(input)) result.push_back(static_cast<std::int64_t>(number));
  return result;
}

std::int64_t RuleCall::attribute(std::string_view name, std::int64_t fallback) const {
  const auto* found = find(node, name);
  return found ? found->i() : fallback;
}

float RuleCall::attribute(std::string_view name, float fallback) const {
  const auto* found = find(node, name);
  return found ? found->f() : fallback;
}

std::string RuleCall::attribute(std::string_view name, const char* fallback) const {
  const auto* found = find(node, name);
  return found ? found->s() : fallback;
}

Shape RuleCall::attribute(std::string_view name, const Shape& fallback) const {
  const auto* found = find(node, name);
  return found ? Shape(found->ints().begin(), found->ints().end()) : fallback;
}

bool RuleCall::has_attribute(std::string_view name) const { return find(node, name) != nullptr; }

std::int64_t RuleCall::axis(std::int64_t fallback, std::size_t rank) const {
  const std::int64_t axis = attribute("axis", fallback);
  return axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis;
}

std::string RuleCall::optional_output(int output, const std::string& stem) {
  while (node.output_size() <= output) node.add_output("");
  if (node.output(output).empty()) node.set_output(output, b.fresh(stem));
  return node.output(output);
}

const RuleTable& rules() {
  static const RuleTable table = [] {
    RuleTable made;
    add_elementwise_rules(made);
    add_activation_rules(made);
    add_shape_rules(made);
    add_index_rules(made);
    add_reduce_rules(made);
    add_matmul_rules(made);
    add_conv_rules(made);
    add_pool_rules(made);
    add_normalise_rules(made);
    add_resize_rules(made);
    return made;
  }();
  return table;
}

bool locally_constant(const std::string& op) {
  static const std::unordered_set<std::string> operators = {
      "Shape", "Size", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "IsNaN", "IsInf", "ConstantOfShape",
  };
  return operators.count(op) > 0;
}

}  // namespace mpq::graph::adjoint
