#include "runtime/values.h"

#include <array>
#include <cstring>
#include <utility>

#include "mpq/error.h"

#include "runtime/environment.h"

namespace mpq::runtime {
namespace {

constexpr std::array<std::pair<DType, ONNXTensorElementDataType>, 14> kTypes = {{
    {DType::kFloat32, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
    {DType::kFloat64, ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE},
    {DType::kFloat16, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16},
    {DType::kBFloat16, ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16},
    {DType::kInt8, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8},
    {DType::kInt16, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16},
    {DType::kInt32, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
    {DType::kInt64, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64},
    {DType::kUInt8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8},
    {DType::kUInt16, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16},
    {DType::kUInt32, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32},
    {DType::kUInt64, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64},
    {DType::kBool, ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL},
    {DType::kString, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING},
}};

ValueInfo no_tensor(const std::string& name) {
  ValueInfo info;
  info.name = name;
  info.dtype = DType::kString;
  info.has_rank = false;
  return info;
}

template <typename ShapeInfo>
ValueInfo describe_tensor(const std::string& name, const ShapeInfo& tensor) {
  const std::optional<DType> dtype = dtype_of_element(tensor.GetElementType());
  if (!dtype) return no_tensor(name);
  ValueInfo info;
  info.name = name;
  info.dtype = *dtype;
  info.has_rank = tensor.HasShape();
  if (!info.has_rank) return info;
  info.shape = tensor.GetShape();
  for (const char* symbol : tensor.GetSymbolicDimensions()) info.symbols.emplace_back(symbol != nullptr ? symbol : "");
  return info;
}

}  // namespace

std::optional<DType> dtype_of_element(ONNXTensorElementDataType type) {
  for (const auto& [dtype, element] : kTypes) {
    if (element == type) return dtype;
  }
  return std::nullopt;
}

ONNXTensorElementDataType element_of_dtype(DType type) {
  for (const auto& [dtype, element] : kTypes) {
    if (dtype == type) return element;
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

ONNXTensorElementDataType element_of_onnx(int onnx_data_type) {
  // Both enumerations agree up to FLOAT4E2M1 = 23 and differ beyond.
  if (onnx_data_type >= 1 && onnx_data_type <= 23 && onnx_data_type != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    return static_cast<ONNXTensorElementDataType>(onnx_data_type);
  }
  switch (onnx_data_type) {
    case 25:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT2;
    case 26:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT2;
    default:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  }
}

ValueInfo describe(const std::string& name, const Ort::TypeInfo& info) {
  switch (info.GetONNXType()) {
    case ONNX_TYPE_TENSOR:
      return describe_tensor(name, info.GetTensorTypeAndShapeInfo());
    case ONNX_TYPE_OPTIONAL:
      return describe(name, info.GetOptionalTypeInfo().GetOptionalElementType());
    default:
      return no_tensor(name);
  }
}

Ort::Value view(const Tensor& tensor) {
  static std::byte nothing{};  // the runtime wants an address even for no elements
  // The runtime's interface is not const, but it does not write to what it is fed with.
  std::byte* data = const_cast<std::byte*>(tensor.data());
  return Ort::Value::CreateTensor(our_memory(), data != nullptr ? data : &nothing, tensor.size_bytes(),
                                  tensor.shape().data(), tensor.shape().size(), element_of_dtype(tensor.type()));
}

Tensor take(const Ort::Value& value) {
  const Tensor nothing(DType::kFloat32, {0});
  if (!value || !value.HasValue() || !value.IsTensor()) return nothing;
  const Ort::TensorTypeAndShapeInfo info = value.GetTensorTypeAndShapeInfo();
  const std::optional<DType> dtype = dtype_of_element(info.GetElementType());
  if (!dtype) return nothing;
  Tensor tensor(*dtype, info.GetShape());
  if (tensor.size_bytes() > 0) std::memcpy(tensor.mutable_data(), value.GetTensorRawData(), tensor.size_bytes());
  return tensor;
}

}  // namespace mpq::runtime
