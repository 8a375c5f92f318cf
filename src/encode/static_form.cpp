#include "encode/static_form.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <unordered_map>

#include "mpq/error.h"

#include "encode/storage_form.h"
#include "graph/erase_if.h"
#include "graph/topology.h"

namespace mpq::encode {

namespace {

constexpr const char* kRound = "Round8bit";
constexpr const char* kRoundDynamic = "Round8bitDynamic";
constexpr const char* kBias = "Bias32bit";

/// x -> QuantizeLinear -> DequantizeLinear: what ONNX Runtime fuses with the operators around it. Scale and zero point
/// have rank 0: with a scale of shape [1] a Clip in front is not dropped.
onnx::FunctionProto round_function(std::int64_t opset) {
  FunctionBody body(opset, kRound, {"x"}, "y");
  const std::string scale = body.float_from("scale");
  const std::string zero = body.cast(body.integer_from("zero"), onnx::TensorProto::UINT8);
  const std::string integers = body.op("QuantizeLinear", {"x", scale, zero});
  return body.finish(body.op("DequantizeLinear", {integers, scale, zero}));
}

/// The same with the scale and zero point of the very numbers that come: ONNX Runtime fuses it with the product behind.
onnx::FunctionProto dynamic_round_function(std::int64_t opset) {
  FunctionBody body(opset, kRoundDynamic, {"x"}, "y");
  const std::string integers = body.op("DynamicQuantizeLinear", {"x"});
  const std::string scale = body.next_output_of_last();
  const std::string zero = body.next_output_of_last();
  return body.finish(body.op("DequantizeLinear", {integers, scale, zero}));
}

/// int32 numbers on the grid of the products: scale = input scale * weight scale, per channel.
onnx::FunctionProto bias_function(std::int64_t opset) {
  FunctionBody body(opset, kBias, {"bias", "scales"}, "y");
  const std::string weight = body.op("Mul", {body.cast("scales", onnx::TensorProto::FLOAT), body.float_from("unit")});
  const std::string scale = body.op("Mul", {weight, body.float_from("input")});
  return body.finish(body.op("DequantizeLinear", {"bias", scale}, {int_attribute("axis", 0)}));
}

onnx::NodeProto call(const char* function, const std::vector<std::string>& inputs, const std::string& output) {
  onnx::NodeProto node;
  node.set_op_type(function);
  node.set_domain(kFunctionDomain);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
  return node;
}

}  // namespace

bool rounds_activation(const onnx::NodeProto& node) {
  return node.op_type() == kRound && node.domain() == kFunctionDomain;
}

bool StaticForm::runs(std::size_t layer) const {
  for (std::size_t u = 0; u < units.units.size(); ++u) {
    const graph::IntegerUnit& unit = units.units[u];
    if (unit.kind == graph::IntegerUnit::Kind::kWeighted && unit.layer == layer) return region.integer[u] != 0;
  }
  return false;
}

const graph::IntegerUnit& StaticForm::unit_of(std::size_t layer) const {
  for (const graph::IntegerUnit& unit : units.units) {
    if (unit.kind == graph::IntegerUnit::Kind::kWeighted && unit.layer == layer) return unit;
  }
  throw Error(ErrorCode::kInternal, "Layer " + std::to_string(layer) + " is no integer unit.");
}

namespace {

/// Half of int32's range stays free for the sum of products.
constexpr double kMostBias = std::numeric_limits<std::int32_t>::max() / 2;

double product_scale(const quant::QuantizedTensor& weight, std::size_t channel, float input_scale) {
  return static_cast<double>(quant::from_half(weight.scales[channel]) * weight.scale_multiplier * input_scale);
}

}  // namespace

bool raise_scales_for_bias(const std::vector<float>& bias, float input_scale, const std::vector<int>& channel_axes,
                           quant::QuantizedTensor& weight) {
  std::size_t inner = 1;
  for (std::size_t axis = static_cast<std::size_t>(channel_axes.at(0)) + 1; axis < weight.shape.size(); ++axis) {
    inner *= static_cast<std::size_t>(weight.shape[axis]);
  }
  bool raised = false;
  for (std::size_t c = 0; c < bias.size(); ++c) {
    const double before = product_scale(weight, c, input_scale);
    if (std::abs(static_cast<double>(bias[c]) / before) <= kMostBias) continue;
    raised = true;
    // A quarter of the range, so that rounding the scale to a half float does not matter.
    const double wanted = 4 * std::abs(static_cast<double>(bias[c])) / kMostBias / static_cast<double>(input_scale);
    weight.scales[c] = quant::to_half(static_cast<float>(wanted / static_cast<double>(weight.scale_multiplier)));
    const double ratio = before / product_scale(weight, c, input_scale);
    for (std::size_t i = 0; i < weight.values.size(); ++i) {
      if (i / inner % bias.size() != c) continue;
      weight.values[i] = static_cast<std::int8_t>(std::nearbyint(weight.values[i] * ratio));
    }
  }
  return raised;
}

std::vector<std::int32_t> bias_integers(const std::vector<float>& bias, const quant::QuantizedTensor& weight,
                                        float input_scale) {
  std::vector<std::int32_t> result;
  for (std::size_t c = 0; c < bias.size(); ++c) {
    const double integer = std::nearbyint(static_cast<double>(bias[c]) / product_scale(weight, c, input_scale));
    if (!(std::abs(integer) <= kMostBias)) {
      throw Error(ErrorCode::kInternal, "A bias does not fit into 32 bits.", "encode");
    }
    result.push_back(static_cast<std::int32_t>(integer));
  }
  return result;
}

onnx::NodeProto* StaticWriter::find_node(const std::string& output) {
  for (onnx::NodeProto& node : *model_.mutable_graph()->mutable_node()) {
    if (node.output_size() > 0 && node.output(0) == output) return &node;
  }
  return nullptr;
}

onnx::NodeProto* StaticWriter::node_of(const std::string& output) {
  if (onnx::NodeProto* node = find_node(output)) return node;
  throw Error(ErrorCode::kInternal, "No node delivers the value '" + output + "'.");
}

/// A LeakyRelu of slope 1, which changes no number, keeps ONNX Runtime from seeing two operators as neighbours.
std::string StaticWriter::add_guard(const std::string& value) {
  onnx::NodeProto& guard = *model_.mutable_graph()->add_node();
  guard.set_op_type("LeakyRelu");
  guard.add_input(value);
  guard.add_output(names_.take("a"));
  *guard.add_attribute() = float_attribute("alpha", 1);
  return guard.output(0);
}

onnx::NodeProto StaticWriter::replace_bias(const graph::IntegerUnit& unit, const std::string& packed,
                                           const std::string& scales, float unit_scale, float input_scale) {
  has_bias_ = true;
  const std::string name = names_.take(packed + ".f");
  onnx::NodeProto* reader = node_of(unit.node);
  replaced_.insert(reader->input(2));
  reader->set_input(2, name);
  onnx::NodeProto node = call(kBias, {packed, scales}, name);
  *node.add_attribute() = caller_float("unit", unit_scale, opset_);
  *node.add_attribute() = caller_float("input", input_scale, opset_);
  return node;
}

/// A float Conv or Gemm that reads integers and whose output is rounded: ONNX Runtime would quantize its weights by
/// itself. A guard between the two keeps it from that.
void StaticWriter::keep_float_weights(const StaticForm& form, const std::string& value, std::string& source) {
  std::unordered_map<std::string, const onnx::NodeProto*> producers;
  for (const onnx::NodeProto& node : model_.graph().node()) {
    for (const std::string& output : node.output()) producers[output] = &node;
  }
  const auto producer = [&](const std::string& name) {
    const auto found = producers.find(name);
    return found == producers.end() ? nullptr : found->second;
  };
  const onnx::NodeProto* node = producer(value);
  while (node != nullptr && (node->op_type() == "Relu" || node->op_type() == "Clip")) node = producer(node->input(0));
  static const std::set<std::string> kWeighted = {"Conv", "Gemm", "ConvTranspose"};
  if (node == nullptr || kWeighted.count(node->op_type()) == 0) return;
  const onnx::NodeProto* before = producer(node->input(0));
  const std::string& read = before != nullptr && before->op_type() == "Pad" ? before->input(0) : node->input(0);
  if (form.region.values.count(read) == 0) return;
  source = add_guard(value);
}

/// Activations that floats deliver: integer units read a rounded copy.
void StaticWriter::round_for_readers(const StaticForm& form, const std::string& value) {
  std::string source = value;
  keep_float_weights(form, value, source);
  const std::string result = names_.take("a");
  for (std::size_t u = 0; u < form.units.units.size(); ++u) {
    if (form.region.integer[u] == 0) continue;
    for (const graph::Slot& slot : form.units.units[u].reads) {
      if (slot.value == value) node_of(slot.node)->set_input(slot.input, result);
    }
  }
  add_round(source, result, form.grids.at(value));
}

void StaticWriter::add_round(const std::string& source, const std::string& result, const quant::ActivationGrid& grid) {
  onnx::NodeProto& node = *model_.mutable_graph()->add_node() = call(kRound, {source}, result);
  *node.add_attribute() = caller_float("scale", grid.scale, opset_);
  *node.add_attribute() = int_attribute("zero", grid.zero_point);
  rounds_ = true;
}

void StaticWriter::round_activations(const StaticForm& form) {
  std::set<std::string> written;
  for (std::size_t u = 0; u < form.units.units.size(); ++u) {
    if (form.region.integer[u] != 0) written.insert(form.units.units[u].output);
  }
  for (const std::string& value : form.region.values) {
    if (written.count(value) == 0) round_for_readers(form, value);
  }
  // Activations that integer units deliver keep their name behind the rounding; last, since units go by their outputs.
  for (const std::string& value : written) {
    const std::string inner = names_.take("a");
    onnx::NodeProto* node = node_of(value);
    std::replace(node->mutable_output()->begin(), node->mutable_output()->end(), value, inner);
    add_round(inner, value, form.grids.at(value));
  }
  remove_unread(replaced_);
}

void StaticWriter::round_as_it_comes(const std::string& weight) {
  onnx::GraphProto& graph = *model_.mutable_graph();
  const auto product =
      std::find_if(graph.mutable_node()->begin(), graph.mutable_node()->end(),
                   [&](const onnx::NodeProto& node) { return node.op_type() == "MatMul" && node.input(1) == weight; });
  if (product == graph.mutable_node()->end())
    throw Error(ErrorCode::kInternal, "No MatMul reads the weight '" + weight + "'.");
  const auto [rounded, is_new] = dynamic_.try_emplace(product->input(0), "");
  if (is_new) rounded->second = names_.take("a");
  product->set_input(0, rounded->second);
  if (!is_new) return;
  *graph.add_node() = call(kRoundDynamic, {rounded->first}, rounded->second);
}

void StaticWriter::scale_rows(const std::string& weight, const std::string& scales, float unit_scale,
                              std::int64_t blocks) {
  onnx::GraphProto& graph = *model_.mutable_graph();
  onnx::NodeProto& lookup = lookup_of(graph, weight);
  const std::string integers = names_.take("a");
  onnx::NodeProto node = scale_rows_node(lookup, integers, scales, unit_scale, blocks, opset_);
  lookup.set_output(0, integers);
  *graph.add_node() = std::move(node);
  scaled_rows_.insert(blocks > 0);
}

/// MatMul -> Relu or Clip -> Round8bitDynamic: ONNX Runtime takes the activation function into the product only where
/// its output has a fixed grid, and otherwise fuses nothing. A guard behind the product lets it be fused. The value may
/// have been divided on its way (graph::scale_inputs).
void StaticWriter::guard_product_before(const std::string& value) {
  onnx::NodeProto* activation = find_node(value);
  if (activation != nullptr && activation->op_type() == "Mul") activation = find_node(activation->input(0));
  if (activation == nullptr || (activation->op_type() != "Relu" && activation->op_type() != "Clip")) return;
  const onnx::NodeProto* product = find_node(activation->input(0));
  if (product == nullptr || product->op_type() != "MatMul") return;
  activation->set_input(0, add_guard(product->output(0)));
}

/// Biases that stand as integers now: their floats go, unless something else reads them.
void StaticWriter::remove_unread(const std::set<std::string>& constants) {
  onnx::GraphProto& graph = *model_.mutable_graph();
  std::set<std::string> read;
  for (const onnx::NodeProto& node : graph.node()) {
    graph::for_each_read(node, [&](const std::string& name) { read.insert(name); });
  }
  for (const auto& output : graph.output()) read.insert(output.name());
  const auto unread = [&](const std::string& name) { return constants.count(name) > 0 && read.count(name) == 0; };
  graph::erase_if(*graph.mutable_initializer(), [&](const auto& tensor) { return unread(tensor.name()); });
  graph::erase_if(*graph.mutable_node(),
                  [&](const auto& node) { return node.op_type() == "Constant" && unread(node.output(0)); });
}

std::vector<onnx::FunctionProto> StaticWriter::finish() {
  for (const auto& [value, rounded] : dynamic_) guard_product_before(value);
  if (rounds_ || !dynamic_.empty() || !scaled_rows_.empty()) graph::sort_nodes(*model_.mutable_graph()->mutable_node());
  std::vector<onnx::FunctionProto> result;
  if (rounds_) result.push_back(round_function(opset_));
  if (!dynamic_.empty()) result.push_back(dynamic_round_function(opset_));
  if (has_bias_) result.push_back(bias_function(opset_));
  for (const bool blocks : scaled_rows_) result.push_back(scale_rows_function(blocks, opset_));
  return result;
}

}  // namespace mpq::encode
