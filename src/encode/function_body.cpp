#include "encode/function_body.h"

#include <algorithm>
#include <cstring>

namespace mpq::encode {

namespace {

// Where operators changed, by opset.
constexpr std::int64_t kConstantOfAnyType = 9;      // before: floating-point constants only
constexpr std::int64_t kSliceTakesInputs = 10;      // before: Slice bounds are attributes
constexpr std::int64_t kPadTakesInputs = 11;        // before: counts are attributes, and values floats
constexpr std::int64_t kConstantTakesNumbers = 12;  // before: Constant takes a tensor only
constexpr std::int64_t kSplitTakesInputs = 13;      // before: Split sizes are an attribute

onnx::AttributeProto attribute(const std::string& name, onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto result;
  result.set_name(name);
  result.set_type(type);
  return result;
}

onnx::AttributeProto tensor_attribute(const std::string& name, onnx::TensorProto tensor) {
  onnx::AttributeProto result = attribute(name, onnx::AttributeProto::TENSOR);
  *result.mutable_t() = std::move(tensor);
  return result;
}

template <typename T>
onnx::TensorProto tensor_of(onnx::TensorProto::DataType type, const std::vector<T>& values,
                            const std::vector<std::int64_t>& dims) {
  onnx::TensorProto tensor;
  tensor.set_data_type(type);
  for (const std::int64_t extent : dims) tensor.add_dims(extent);
  tensor.set_raw_data(values.data(), values.size() * sizeof(T));
  return tensor;
}

/// Numbers as a one-dimensional tensor of the integer-like type Constant knows at `opset`.
onnx::TensorProto numbers(const std::vector<std::int64_t>& values, std::int64_t opset) {
  const auto count = static_cast<std::int64_t>(values.size());
  if (opset >= kConstantOfAnyType) {
    onnx::TensorProto tensor;
    tensor.set_data_type(onnx::TensorProto::INT64);
    tensor.add_dims(count);
    for (const std::int64_t value : values) tensor.add_int64_data(value);  // a byte each, where raw_data takes eight
    return tensor;
  }
  const std::vector<double> exact(values.begin(), values.end());  // extents are far below 2^53
  return tensor_of(onnx::TensorProto::DOUBLE, exact, {count});
}

}  // namespace

onnx::AttributeProto int_attribute(const std::string& name, std::int64_t value) {
  onnx::AttributeProto result = attribute(name, onnx::AttributeProto::INT);
  result.set_i(value);
  return result;
}

onnx::AttributeProto ints_attribute(const std::string& name, const std::vector<std::int64_t>& values) {
  onnx::AttributeProto result = attribute(name, onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) result.add_ints(value);
  return result;
}

onnx::AttributeProto string_attribute(const std::string& name, const std::string& value) {
  onnx::AttributeProto result = attribute(name, onnx::AttributeProto::STRING);
  result.set_s(value);
  return result;
}

onnx::AttributeProto float_attribute(const std::string& name, float value) {
  onnx::AttributeProto result = attribute(name, onnx::AttributeProto::FLOAT);
  result.set_f(value);
  return result;
}

FunctionBody::FunctionBody(std::int64_t opset, const std::string& name, const std::vector<std::string>& inputs,
                           const std::string& output)
    : opset_(opset) {
  function_.set_domain(kFunctionDomain);
  function_.set_name(name);
  for (const std::string& input : inputs) function_.add_input(input);
  function_.add_output(output);
  onnx::OperatorSetIdProto* import = function_.add_opset_import();
  import->set_domain("");
  import->set_version(opset);
}

std::string FunctionBody::next_name() {
  // a, b, ... z, aa, ab, ...: every byte of a body is paid for in the file.
  std::string name;
  for (int rest = names_++; rest >= 0; rest = rest / 26 - 1) {
    name.insert(name.begin(), static_cast<char>('a' + rest % 26));
  }
  return name;
}

std::string FunctionBody::op(const std::string& type, const std::vector<std::string>& inputs,
                             const std::vector<onnx::AttributeProto>& attributes) {
  onnx::NodeProto* node = function_.add_node();
  node->set_op_type(type);
  for (const std::string& input : inputs) node->add_input(input);
  node->add_output(next_name());
  for (const onnx::AttributeProto& each : attributes) *node->add_attribute() = each;
  return node->output(0);
}

std::string FunctionBody::next_output_of_last() {
  onnx::NodeProto& node = *function_.mutable_node(function_.node_size() - 1);
  node.add_output(next_name());
  return node.output(node.output_size() - 1);
}

std::string FunctionBody::cast(const std::string& value, onnx::TensorProto::DataType type) {
  return op("Cast", {value}, {int_attribute("to", type)});
}

std::vector<std::string> FunctionBody::split(const std::string& value, const std::vector<std::int64_t>& rows) {
  if (opset_ >= kSplitTakesInputs) {
    op("Split", {value, constant(rows)});  // axis 0 is the default
  } else {
    op("Split", {value}, {ints_attribute("split", rows)});
  }
  onnx::NodeProto& node = *function_.mutable_node(function_.node_size() - 1);
  while (node.output_size() < static_cast<int>(rows.size())) node.add_output(next_name());
  return {node.output().begin(), node.output().end()};
}

std::string FunctionBody::slice(const std::string& value, std::int64_t axis, std::int64_t begin, std::int64_t end) {
  if (opset_ >= kSliceTakesInputs) {
    return op("Slice", {value, constant({begin}), constant({end}), constant({axis})});
  }
  return op("Slice", {value},
            {ints_attribute("axes", {axis}), ints_attribute("starts", {begin}), ints_attribute("ends", {end})});
}

std::string FunctionBody::pad(const std::string& value, const std::vector<std::int64_t>& counts) {
  if (opset_ >= kPadTakesInputs) return op("Pad", {value, constant(counts)});
  return op("Pad", {value}, {ints_attribute("pads", counts)});
}

std::string FunctionBody::head(const std::string& value, const std::string& count) {
  if (opset_ >= kSliceTakesInputs) return op("Slice", {value, constant({0}), integers_from(count)});
  const std::string result = op("Slice", {value}, {ints_attribute("axes", {0}), ints_attribute("starts", {0})});
  bind_last("ends", onnx::AttributeProto::INTS, count);
  return result;
}

std::string FunctionBody::constant_tensor(onnx::TensorProto tensor) {
  std::string& name = constants_[tensor.SerializeAsString()];
  if (name.empty()) name = op("Constant", {}, {tensor_attribute("value", std::move(tensor))});
  return name;
}

std::string FunctionBody::constant(const std::vector<std::int64_t>& values) {
  const std::string result = constant_tensor(numbers(values, opset_));
  return opset_ >= kConstantOfAnyType ? result : cast(result, onnx::TensorProto::INT64);
}

std::string FunctionBody::constant_bytes(const std::vector<std::uint8_t>& values, const std::vector<std::int64_t>& dims,
                                         onnx::TensorProto::DataType type) {
  return constant_tensor(tensor_of(type, values, dims));
}

std::string FunctionBody::constant_floats(const std::vector<float>& values, const std::vector<std::int64_t>& dims) {
  return constant_tensor(tensor_of(onnx::TensorProto::FLOAT, values, dims));
}

void FunctionBody::declare(const std::string& attribute) {
  const auto& known = function_.attribute();
  if (std::find(known.begin(), known.end(), attribute) == known.end()) function_.add_attribute(attribute);
}

void FunctionBody::bind_last(const std::string& attribute_name, onnx::AttributeProto::AttributeType type,
                             const std::string& source) {
  onnx::AttributeProto bound = attribute(attribute_name, type);
  bound.set_ref_attr_name(source);
  *function_.mutable_node(function_.node_size() - 1)->add_attribute() = bound;
  declare(source);
}

std::string FunctionBody::integers_from(const std::string& source) {
  const std::string result = op("Constant", {});
  if (opset_ >= kConstantTakesNumbers) {
    bind_last("value_ints", onnx::AttributeProto::INTS, source);
    return result;
  }
  bind_last("value", onnx::AttributeProto::TENSOR, source);
  return opset_ >= kConstantOfAnyType ? result : cast(result, onnx::TensorProto::INT64);
}

std::string FunctionBody::float_from(const std::string& source) {
  const std::string result = op("Constant", {});
  if (opset_ >= kConstantTakesNumbers) {
    bind_last("value_float", onnx::AttributeProto::FLOAT, source);
  } else {
    bind_last("value", onnx::AttributeProto::TENSOR, source);
  }
  return result;
}

std::string FunctionBody::integer_from(const std::string& source) {
  const std::string result = op("Constant", {});
  bind_last("value_int", onnx::AttributeProto::INT, source);
  return result;
}

onnx::FunctionProto FunctionBody::finish(const std::string& value) {
  for (onnx::NodeProto& node : *function_.mutable_node()) {
    for (std::string& name : *node.mutable_input()) {
      if (name == value) name = function_.output(0);
    }
    for (std::string& name : *node.mutable_output()) {
      if (name == value) name = function_.output(0);
    }
  }
  return std::move(function_);
}

onnx::AttributeProto caller_integers(const std::string& name, const std::vector<std::int64_t>& values,
                                     std::int64_t opset) {
  if (opset >= kConstantTakesNumbers) return ints_attribute(name, values);
  return tensor_attribute(name, numbers(values, opset));
}

onnx::AttributeProto caller_count(const std::string& name, std::int64_t value, std::int64_t opset) {
  if (opset < kSliceTakesInputs) return ints_attribute(name, {value});
  return caller_integers(name, {value}, opset);
}

onnx::AttributeProto caller_float(const std::string& name, float value, std::int64_t opset) {
  if (opset >= kConstantTakesNumbers) return float_attribute(name, value);
  return tensor_attribute(name, tensor_of(onnx::TensorProto::FLOAT, std::vector<float>{value}, {}));
}

}  // namespace mpq::encode
