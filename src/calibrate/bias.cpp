#include "calibrate/bias.h"

#include <algorithm>
#include <cstring>

#include "graph/run_index.h"
#include "graph/weight_roles.h"
#include "quantize/grid.h"

namespace mpq::calibrate {

namespace {

using onnx::TensorProto;

const TensorProto* initializer(const graph::RunForm& form, const std::string& name) {
  const int number = form.index->find(name);
  if (number < 0 || form.index->value(number).initializer < 0) return nullptr;
  return &form.model.graph().initializer(form.index->value(number).initializer);
}

/// float16 in int32_data takes as many bytes as its numbers are long.
bool fixed_size(const TensorProto& tensor, const graph::TensorStore& store) {
  if (tensor.data_type() != TensorProto::FLOAT && tensor.data_type() != TensorProto::FLOAT16) return false;
  const graph::TensorField field =
      graph::in_store(tensor) ? store.field(graph::store_index(tensor)) : graph::data_field(tensor);
  return field == graph::TensorField::kRaw || field == graph::TensorField::kFloat;
}

/// One number per output along the axis `from_end` axes before the last, and 1 everywhere else.
bool lies_along(const TensorProto& tensor, std::size_t outputs, int from_end) {
  const int axis = tensor.dims_size() - 1 - from_end;
  if (axis < 0) return false;
  for (int i = 0; i < tensor.dims_size(); ++i) {
    if (tensor.dims(i) != (i == axis ? static_cast<std::int64_t>(outputs) : 1)) return false;
  }
  return true;
}

bool alone(const Model& model, const graph::RunForm& form, const std::string& name, const TensorProto& tensor) {
  const auto& weights = form.weight_names;
  const auto& inputs = model.impl().proto.graph().input();
  return fixed_size(tensor, *form.store) && form.index->value(form.index->find(name)).readers.size() == 1 &&
         std::find(weights.begin(), weights.end(), name) == weights.end() &&
         std::none_of(inputs.begin(), inputs.end(), [&](const auto& input) { return input.name() == name; }) &&
         std::none_of(model.outputs().begin(), model.outputs().end(),
                      [&](const ValueInfo& output) { return output.name == name; });
}

float float_attribute(const onnx::NodeProto& node, const std::string& name) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) return attribute.f();
  }
  return 1;
}

/// The other operand of the only node that reads the result, where that node is an Add.
std::string added_behind(const Model& model, const graph::RunForm& form, const onnx::NodeProto& node) {
  const std::string& result = node.output(0);
  const auto& readers = form.index->value(form.index->find(result)).readers;
  const bool is_output = std::any_of(model.outputs().begin(), model.outputs().end(),
                                     [&](const ValueInfo& output) { return output.name == result; });
  if (is_output || readers.size() != 1) return "";
  const onnx::NodeProto& add = form.model.graph().node(readers[0]);
  if (add.op_type() != "Add" || add.input_size() != 2) return "";
  return add.input(0) == result ? add.input(1) : add.input(0);
}

}  // namespace

std::string correctable_bias(const Model& model, const graph::RunForm& form, int number, std::size_t outputs) {
  const onnx::NodeProto& node = form.model.graph().node(number);
  const std::string& op = node.op_type();
  if (op != "Conv" && op != "Gemm" && op != "MatMul") return "";
  if (op == "Gemm" && (float_attribute(node, "alpha") != 1 || float_attribute(node, "beta") != 1)) return "";
  const bool own = op != "MatMul" && node.input_size() > 2 && !node.input(2).empty();
  const std::string name = own ? node.input(2) : added_behind(model, form, node);
  const TensorProto* tensor = initializer(form, name);
  if (tensor == nullptr || !alone(model, form, name, *tensor)) return "";
  int from_end = 0;
  if (op == "Conv" && !own) {
    const TensorProto* kernel = initializer(form, node.input(1));
    if (kernel == nullptr) return "";
    from_end = kernel->dims_size() - 2;
  }
  return lies_along(*tensor, outputs, from_end) ? name : "";
}

std::vector<float> bias_values(const graph::RunForm& form, const std::string& name) {
  const TensorProto& tensor = *initializer(form, name);
  std::string scratch;
  const std::span<const std::byte> bytes = graph::raw_bytes(tensor, *form.store, scratch);
  const bool half = tensor.data_type() == TensorProto::FLOAT16;
  std::vector<float> values(bytes.size() / (half ? sizeof(std::uint16_t) : sizeof(float)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (half) {
      std::uint16_t bits = 0;
      std::memcpy(&bits, bytes.data() + i * sizeof bits, sizeof bits);
      values[i] = quant::from_half(bits);
    } else {
      std::memcpy(&values[i], bytes.data() + i * sizeof(float), sizeof(float));
    }
  }
  return values;
}

}  // namespace mpq::calibrate
