#include "graph/integer_operators.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "graph/dequantize_tensor.h"
#include "graph/graph_writer.h"
#include "graph/integer_products.h"
#include "graph/types.h"
#include "graph/weight_roles.h"

namespace mpq::graph {

namespace {

using onnx::NodeProto;
using onnx::TensorProto;

/// Where an operator has its operands: each is followed by its scale and its zero point, as is the result.
struct Operands {
  const char* float_operator;
  std::vector<int> positions;
  int result;
  int bias = -1;  ///< integers on the grid of the product of both operands' scales
  bool from_runtime = true;
};

std::optional<Operands> operands_of(const NodeProto& node) {
  static const std::map<std::string, Operands> kOperators = {
      {"QLinearConv", {"Conv", {0, 3}, 6, 8, false}},
      {"QLinearMatMul", {"MatMul", {0, 3}, 6, -1, false}},
      {"QGemm", {"Gemm", {0, 3}, 7, 6}},
      {"QLinearAdd", {"Add", {0, 3}, 6}},
      {"QLinearMul", {"Mul", {0, 3}, 6}},
      {"QLinearLeakyRelu", {"LeakyRelu", {0}, 3}},
      {"QLinearSigmoid", {"Sigmoid", {0}, 3}},
      {"QLinearAveragePool", {"AveragePool", {0}, 3}},
      {"QLinearGlobalAveragePool", {"GlobalAveragePool", {0}, 3}},
      {"QLinearSoftmax", {"Softmax", {0}, 3}},
      {"QLinearConcat", {"Concat", {}, 0}},
  };
  const auto found = kOperators.find(node.op_type());
  if (found == kOperators.end() || int_attribute(node, "channels_last", 0) != 0) return std::nullopt;
  Operands operands = found->second;
  const bool is_standard = node.domain().empty() || node.domain() == "ai.onnx";
  if (operands.from_runtime ? node.domain() != "com.microsoft" : !is_standard) return std::nullopt;
  if (operands.positions.empty()) {
    for (int i = 2; i + 1 < node.input_size(); i += 3) operands.positions.push_back(i);
  }
  if (operands.positions.empty() || operands.positions.back() + 1 >= node.input_size()) return std::nullopt;
  return operands;
}

/// The axis of an operand that scales per channel lie along.
int channel_axis(const NodeProto& node, std::size_t operand) {
  if (node.op_type() == "QLinearConv") return 0;
  if (node.op_type() == "QGemm") return operand == 1 && int_attribute(node, "transB", 0) != 0 ? 0 : 1;
  return operand == 0 ? -2 : -1;
}

/// Operators whose first input gives all numbers of the output, unchanged.
bool only_moves(const NodeProto& node) {
  static const std::map<std::string, int> kOutputs = {
      {"DepthToSpace", 1}, {"Expand", 1},  {"Flatten", 1},      {"Gather", 1},   {"Identity", 1},
      {"MaxPool", 1},      {"Reshape", 1}, {"SpaceToDepth", 1}, {"Slice", 1},    {"Squeeze", 1},
      {"Split", 99},       {"Tile", 1},    {"Transpose", 1},    {"Unsqueeze", 1}};
  const auto found = kOutputs.find(node.op_type());
  const bool is_nearest = node.op_type() == "Resize" && string_attribute(node, "mode") != "linear" &&
                          string_attribute(node, "mode") != "cubic";
  return node.domain().empty() && (is_nearest || (found != kOutputs.end() && node.output_size() <= found->second));
}

/// A scale and a zero point, by name.
using GridNames = std::pair<std::string, std::string>;

class Rewriter {
 public:
  Rewriter(GraphWriter& out, int opset) : out_(out), opset_(opset) {}

  void visit(const NodeProto& node) {
    const auto operands = operands_of(node);
    if (operands && same_softmax(node)) {
      ++operators;
      write_out(node, *operands);
    } else if (only_moves(node) && grids_.count(node.input(0)) > 0) {
      move_floats(node, grids_.at(node.input(0)));
    } else if (const NodeProto* lookup = table_lookup(node)) {
      look_up_floats(node, *lookup);
    } else if (products_.visit(node, out_)) {
      ++operators;
    } else {
      out_.keep(node);
      if (node.op_type() == "QuantizeLinear") remember(node.output(0), {node.input(1), input_name(node, 2)});
    }
  }

  int operators = 0;
  int activations() const { return products_.activations(); }

 private:
  /// Softmax before operator set 13 is another operator, and QLinearSoftmax says which one it means.
  bool same_softmax(const NodeProto& node) const {
    constexpr int kPerAxis = 13;
    return node.op_type() != "QLinearSoftmax" || (int_attribute(node, "opset", 0) >= kPerAxis) == (opset_ >= kPerAxis);
  }

  void write_out(const NodeProto& node, const Operands& operands) {
    std::vector<std::string> inputs;
    for (std::size_t i = 0; i < operands.positions.size(); ++i) {
      const int at = operands.positions[i];
      inputs.push_back(
          out_.dequantized(node.input(at), node.input(at + 1), input_name(node, at + 2), channel_axis(node, i)));
    }
    const std::string bias = operands.bias < 0 ? "" : input_name(node, operands.bias);
    if (!bias.empty()) inputs.push_back(out_.dequantized(bias, bias_scale(node, operands), "", 0));
    const std::string scale = input_name(node, operands.result);
    const std::string result = scale.empty() ? node.output(0) : out_.fresh(node.output(0) + "_floats");
    NodeProto& made = out_.add(operands.float_operator, inputs, result);
    made.set_name(node.name());
    for (const auto& attribute : node.attribute()) {
      if (attribute.name() != "channels_last" && attribute.name() != "opset") *made.add_attribute() = attribute;
    }
    if (!scale.empty()) round(result, node.output(0), {scale, input_name(node, operands.result + 1)});
    out_.replaced(node);
  }

  /// The product of both scales, a new initializer where they are constants.
  std::string bias_scale(const NodeProto& node, const Operands& operands) {
    const std::string& one = node.input(operands.positions[0] + 1);
    const std::string& other = node.input(operands.positions[1] + 1);
    const float alpha = float_attribute(node, "alpha", 1);
    const std::vector<float> steps = out_.floats(one), others = out_.floats(other);
    if (steps.size() != 1 || others.empty()) {
      std::string product = out_.fresh(node.input(operands.bias) + "_scale");
      out_.add("Mul", {one, other}, product);
      if (alpha == 1) return product;
      TensorProto factor;
      factor.set_data_type(TensorProto::FLOAT);
      factor.add_float_data(alpha);
      const std::string scaled = out_.fresh(product);
      out_.add("Mul", {product, out_.constant("alpha", std::move(factor))}, scaled);
      return scaled;
    }
    TensorProto scale;
    scale.set_data_type(TensorProto::FLOAT);
    if (others.size() > 1) scale.add_dims(static_cast<std::int64_t>(others.size()));
    for (const float step : others) scale.add_float_data(alpha * steps[0] * step);
    return out_.constant(node.input(operands.bias) + "_scale", std::move(scale));
  }

  /// Before: integers -> move.   After: integers -> DequantizeLinear -> move -> QuantizeLinear of the same grid.
  void move_floats(const NodeProto& node, const GridNames& grid) {
    const std::string floats = out_.dequantized(node.input(0), grid.first, grid.second, 0);
    NodeProto moved = node;
    moved.set_input(0, floats);
    for (std::string& output : *moved.mutable_output()) output = out_.fresh(output + "_floats");
    out_.keep(moved);
    for (int i = 0; i < node.output_size(); ++i) round(moved.output(i), node.output(i), grid);
  }

  void round(const std::string& floats, const std::string& integers, const GridNames& grid) {
    out_.add("QuantizeLinear", {floats, grid.first, grid.second}, integers);
    remember(integers, grid);
  }

  /// A grid for all numbers of a tensor, that is; those per channel do not survive being moved.
  void remember(const std::string& integers, const GridNames& grid) {
    const TensorProto* scale = out_.tensor(grid.first);
    if (scale != nullptr && safe_element_count(scale->dims()) == 1) grids_.emplace(integers, grid);
  }

  /// The Gather of a constant table of integers in front of a DequantizeLinear with one scale; null for other nodes.
  const NodeProto* table_lookup(const NodeProto& node) const {
    if (node.op_type() != "DequantizeLinear" || out_.floats(node.input(1)).size() != 1) return nullptr;
    const NodeProto* gather = out_.producer(node.input(0));
    if (gather == nullptr || gather->op_type() != "Gather" || grids_.count(gather->output(0)) > 0) return nullptr;
    const TensorProto* table = out_.tensor(gather->input(0));
    return table != nullptr && integer_type(table->data_type()) ? gather : nullptr;
  }

  /// Before: Gather(integers) -> DequantizeLinear.   After: DequantizeLinear(integers) -> Gather.
  void look_up_floats(const NodeProto& node, const NodeProto& lookup) {
    const std::string table = out_.dequantized(lookup.input(0), node.input(1), input_name(node, 2), 0);
    NodeProto gather = lookup;
    gather.set_input(0, table);
    gather.set_output(0, node.output(0));
    out_.keep(gather);
    out_.replaced(node);
    ++operators;
  }

  GraphWriter& out_;
  int opset_;
  IntegerProducts products_;
  std::map<std::string, GridNames> grids_;  ///< of integers
};

}  // namespace

FloatOperators write_as_float_operators(Model::Impl& impl) {
  FloatOperators result;
  const ValueTable table(impl.proto, false);
  NamePool names(all_value_names(impl.proto));
  std::vector<onnx::GraphProto*> graphs;
  for (const NestedGraph& nested : table.graphs()) graphs.push_back(&graph_at(impl.proto, nested.path));
  for (std::size_t g = graphs.size(); g-- > 0;) {  // bodies first: the nodes that own them are copied with them
    GraphWriter out(table, static_cast<int>(g), names, *impl.store);
    Rewriter rewriter(out, impl.opset);
    for (const NodeProto& node : graphs[g]->node()) rewriter.visit(node);
    if (rewriter.operators == 0) continue;
    result.operators += rewriter.operators;
    result.activations += rewriter.activations();
    result.perhaps_unread.insert(out.perhaps_unread().begin(), out.perhaps_unread().end());
    out.finish(*graphs[g]);
  }
  return result;
}

}  // namespace mpq::graph
