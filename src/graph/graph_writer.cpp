#include "graph/graph_writer.h"

#include <cstring>
#include <utility>

#include "graph/types.h"

namespace mpq::graph {

onnx::NodeProto& GraphWriter::add(const std::string& op_type, const std::vector<std::string>& inputs,
                                  const std::string& output) {
  onnx::NodeProto& node = nodes_.emplace_back();
  node.set_op_type(op_type);
  for (const std::string& input : inputs) node.add_input(input);
  while (node.input_size() > 0 && node.input(node.input_size() - 1).empty()) node.mutable_input()->RemoveLast();
  node.add_output(output);
  return node;
}

std::string GraphWriter::dequantized(const std::string& x, const std::string& scale, const std::string& zero_point,
                                     int axis) {
  std::string floats = fresh(x + "_floats");
  onnx::NodeProto& node = add("DequantizeLinear", {x, scale, zero_point}, floats);
  const onnx::TensorProto* scales = tensor(scale);
  if (scales != nullptr && safe_element_count(scales->dims()) != 1) set_int(node, "axis", axis);
  return floats;
}

std::string GraphWriter::constant(const std::string& stem, onnx::TensorProto tensor) {
  std::string name = fresh(stem);
  tensor.set_name(name);
  tensors_.emplace(name, std::move(tensor));
  return name;
}

const onnx::TensorProto* GraphWriter::tensor(const std::string& name) const {
  const auto added = tensors_.find(name);
  return added == tensors_.end() ? table_.tensor(graph_, name) : &added->second;
}

std::vector<float> GraphWriter::floats(const std::string& name) const {
  const onnx::TensorProto* found = tensor(name);
  if (found == nullptr || found->data_type() != onnx::TensorProto::FLOAT) return {};
  std::string scratch;
  const auto bytes = raw_bytes(*found, store_, scratch);
  std::vector<float> numbers(bytes.size() / sizeof(float));
  std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(float));
  return numbers;
}

void GraphWriter::finish(onnx::GraphProto& graph) {
  graph.clear_node();
  for (onnx::NodeProto& node : nodes_) *graph.add_node() = std::move(node);
  for (auto& [name, tensor] : tensors_) *graph.add_initializer() = std::move(tensor);
}

void set_int(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

void set_ints(onnx::NodeProto& node, const std::string& name, const std::vector<std::int64_t>& values) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) attribute.add_ints(value);
}

std::string input_name(const onnx::NodeProto& node, int index) {
  return index < node.input_size() ? node.input(index) : "";
}

}  // namespace mpq::graph
