#include "graph/scale_inputs.h"

#include <algorithm>
#include <memory>

#include "mpq/error.h"

#include "graph/graph_writer.h"
#include "graph/model_impl.h"
#include "graph/replace_numbers.h"
#include "graph/scopes.h"
#include "quantize/grid.h"

namespace mpq::graph {

namespace {

/// The one node that multiplies with the weight.
onnx::NodeProto& product_of(onnx::GraphProto& graph, const std::string& weight, const std::string& input) {
  const auto found = std::ranges::find_if(*graph.mutable_node(), [&](const onnx::NodeProto& node) {
    return node.op_type() == "MatMul" && node.input_size() == 2 && node.input(1) == weight && node.input(0) == input;
  });
  if (found == graph.mutable_node()->end()) {
    throw Error(ErrorCode::kInternal, "No MatMul multiplies '" + input + "' with this weight.", weight);
  }
  return *found;
}

onnx::NodeProto node(const char* op, const std::vector<std::string>& inputs, const std::string& output) {
  onnx::NodeProto result;
  result.set_op_type(op);
  for (const std::string& input : inputs) result.add_input(input);
  result.add_output(output);
  return result;
}

/// Adds the halves and the nodes; returns the divided input's name.
std::string divide(onnx::GraphProto& graph, NamePool& names, const std::string& input,
                   const std::vector<std::uint16_t>& halves) {
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(names.take(input + "_shrink"));
  tensor.set_data_type(onnx::TensorProto::FLOAT16);
  tensor.add_dims(static_cast<std::int64_t>(halves.size()));
  tensor.set_raw_data(halves.data(), halves.size() * sizeof(std::uint16_t));
  const std::string floats = names.take(tensor.name() + ".f"), scaled = names.take(input + "_equalized");
  onnx::NodeProto& cast = *graph.add_node() = node("Cast", {tensor.name()}, floats);
  set_int(cast, "to", onnx::TensorProto::FLOAT);
  *graph.add_node() = node("Mul", {input, floats}, scaled);
  return scaled;
}

/// 1 / factor, where halves are normal numbers.
std::vector<std::uint16_t> shrinks_of(const std::vector<float>& factors) {
  constexpr float kLeast = 1e-4F, kMost = 6e4F;
  std::vector<std::uint16_t> halves;
  for (const float factor : factors) halves.push_back(quant::to_half(std::clamp(1 / factor, kLeast, kMost)));
  return halves;
}

void divide_rows(onnx::ModelProto& model, TensorStore& store, const std::string& weight,
                 const std::vector<std::uint16_t>& halves) {
  std::vector<float> numbers = read_numbers(model, store, weight);
  const std::size_t outputs = numbers.size() / halves.size();
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] /= quant::from_half(halves[i / outputs]);
  replace_numbers(model, store, weight, numbers);
}

}  // namespace

ScaledInputs scale_inputs(const Model& model, const std::vector<InputScaling>& scalings) {
  const Model::Impl& before = model.impl();
  const auto impl = std::make_shared<Model::Impl>();
  const auto store = std::make_shared<TensorStore>(*before.store);
  impl->proto = before.proto;
  impl->opset = before.opset;
  impl->facts = before.facts;
  impl->had_external_data = before.had_external_data;
  NamePool names(all_value_names(impl->proto));
  onnx::GraphProto& graph = *impl->proto.mutable_graph();
  std::vector<std::string> scaled;
  for (const InputScaling& scaling : scalings) {
    const std::vector<std::uint16_t> halves = shrinks_of(scaling.factors);
    scaled.push_back(divide(graph, names, scaling.input, halves));
    for (const std::string& weight : scaling.weights) {
      product_of(graph, weight, scaling.input).set_input(0, scaled.back());
      divide_rows(impl->proto, *store, weight, halves);
    }
  }
  sort_nodes(graph);
  impl->store = store;
  complete(*impl, before.facts.path);
  return {Model(impl), std::move(scaled)};
}

bool is_scaled_input(const ValueTable& table, const std::string& value) {
  const onnx::NodeProto* scaling = table.producer(0, value);
  if (scaling == nullptr || scaling->op_type() != "Mul") return false;
  const onnx::NodeProto* cast = table.producer(0, scaling->input(1));
  if (cast == nullptr || cast->op_type() != "Cast") return false;
  const onnx::TensorProto* halves = table.tensor(0, cast->input(0));
  return halves != nullptr && halves->data_type() == onnx::TensorProto::FLOAT16;
}

std::int64_t scaling_bytes(std::int64_t channels) {
  constexpr std::int64_t kNodesAndNames = 1024;
  return kNodesAndNames + channels * static_cast<std::int64_t>(sizeof(std::uint16_t));
}

}  // namespace mpq::graph
