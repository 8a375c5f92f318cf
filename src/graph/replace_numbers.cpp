#include "graph/replace_numbers.h"

#include <cstring>
#include <memory>
#include <span>

#include "mpq/error.h"

#include "graph/values.h"
#include "quantize/grid.h"

namespace mpq::graph {

namespace {

using onnx::TensorProto;

const TensorProto* find_constant(const onnx::GraphProto& graph, const std::string& name) {
  for (const TensorProto& tensor : graph.initializer()) {
    if (tensor.name() == name) return &tensor;
  }
  for (const onnx::NodeProto& node : graph.node()) {
    const TensorProto* tensor = constant_tensor(node);
    if (tensor != nullptr && node.output(0) == name) return tensor;
  }
  return nullptr;
}

/// Empty for types other than float32 and float16.
std::string raw_numbers(int type, const std::vector<float>& numbers) {
  std::string raw;
  const auto append = [&raw](const auto& number) { raw.append(reinterpret_cast<const char*>(&number), sizeof number); };
  for (const float number : numbers) {
    if (type == TensorProto::FLOAT) append(number);
    if (type == TensorProto::FLOAT16) append(quant::to_half(number));
  }
  return raw;
}

}  // namespace

void replace_numbers(onnx::ModelProto& model, TensorStore& store, const std::string& name,
                     const std::vector<float>& numbers) {
  auto* tensor = const_cast<TensorProto*>(find_constant(model.graph(), name));
  if (tensor == nullptr) throw Error(ErrorCode::kInternal, "The model has no constant of this name.", name);
  std::string raw = raw_numbers(tensor->data_type(), numbers);
  std::string scratch;
  if (raw.empty() || raw.size() != raw_bytes(*tensor, store, scratch).size()) {
    throw Error(ErrorCode::kInternal, "The constant cannot take " + std::to_string(numbers.size()) + " numbers.", name);
  }
  if (in_store(*tensor)) {
    const TensorField field = store.field(store_index(*tensor));
    const auto owner = std::make_shared<const std::string>(std::move(raw));
    point_to_store(*tensor, store.add(std::as_bytes(std::span(*owner)), owner, field), owner->size());
    return;
  }
  switch (data_field(*tensor)) {
    case TensorField::kRaw:
      tensor->set_raw_data(std::move(raw));
      return;
    case TensorField::kFloat:
      std::memcpy(tensor->mutable_float_data()->mutable_data(), raw.data(), raw.size());
      return;
    default:
      throw Error(ErrorCode::kInternal, "The constant's field changes its size with its numbers.", name);
  }
}

std::vector<float> read_numbers(const onnx::ModelProto& model, const TensorStore& store, const std::string& name) {
  const TensorProto* tensor = find_constant(model.graph(), name);
  if (tensor == nullptr || tensor->data_type() != TensorProto::FLOAT) {
    throw Error(ErrorCode::kInternal, "The model has no float32 constant of this name.", name);
  }
  std::string scratch;
  const std::span<const std::byte> raw = raw_bytes(*tensor, store, scratch);
  std::vector<float> numbers(raw.size() / sizeof(float));
  std::memcpy(numbers.data(), raw.data(), numbers.size() * sizeof(float));
  return numbers;
}

}  // namespace mpq::graph
