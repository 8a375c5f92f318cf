#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/adjoint/builder.h"

namespace mpq::graph::adjoint {

/// One node whose inputs' adjoints are asked for.
/// In the rules, g is the adjoint of an output (dL/dy), x and y are forward values, and dL/dx is given.
struct RuleCall {
  Builder& b;
  onnx::NodeProto& node;                ///< optional outputs may be added to it
  std::vector<std::string> adjoints;    ///< per output; "" where none arrives
  std::vector<bool> wanted;             ///< per input
  std::vector<std::string> given = {};  ///< per input; "" where none flows back

  const std::string& g() const { return adjoints[0]; }
  const std::string& x(int input = 0) const { return node.input(input); }
  const std::string& y(int output = 0) const { return node.output(output); }
  bool has(int input) const { return input < node.input_size() && !node.input(input).empty(); }
  bool wants(int input) const { return has(input) && wanted[static_cast<std::size_t>(input)]; }
  const Shape& xs(int input = 0) const { return b.shape(x(input)); }
  const Shape& ys(int output = 0) const { return b.shape(y(output)); }
  void give(int input, std::string adjoint);
  /// As give, summed over the axes along which the input was broadcast to the output's shape.
  void give_unbroadcast(int input, const std::string& adjoint);
  /// Throws NoRule unless only these inputs want an adjoint.
  void only(std::initializer_list<int> inputs) const;
  /// The numbers of an input that depends on nothing but constants and shapes. Throws NoRule for others.
  Shape ints(int input) const;
  std::vector<double> numbers(int input) const;

  std::int64_t attribute(std::string_view name, std::int64_t fallback) const;
  float attribute(std::string_view name, float fallback) const;
  std::string attribute(std::string_view name, const char* fallback) const;
  Shape attribute(std::string_view name, const Shape& fallback) const;
  bool has_attribute(std::string_view name) const;
  /// The attribute "axis", counted from the front.
  std::int64_t axis(std::int64_t fallback, std::size_t rank) const;
  /// The name of an optional output, asked for where the node does not offer it yet.
  std::string optional_output(int output, const std::string& stem);
};

using Rule = void (*)(RuleCall&);
using RuleTable = std::unordered_map<std::string, Rule>;

// One family of operators each.
void add_elementwise_rules(RuleTable& table);
void add_activation_rules(RuleTable& table);
void add_shape_rules(RuleTable& table);
void add_index_rules(RuleTable& table);
void add_reduce_rules(RuleTable& table);
void add_matmul_rules(RuleTable& table);
void add_conv_rules(RuleTable& table);
void add_pool_rules(RuleTable& table);
void add_normalise_rules(RuleTable& table);
void add_resize_rules(RuleTable& table);

/// By operator of ONNX's default domain.
const RuleTable& rules();

/// True for operators whose outputs do not follow small changes of their inputs: shapes and comparisons.
bool locally_constant(const std::string& op);

}  // namespace mpq::graph::adjoint
