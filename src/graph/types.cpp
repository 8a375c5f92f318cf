#include "graph/types.h"

#include <array>
#include <limits>

#include "graph/model_impl.h"
#include "graph/wording.h"

namespace mpq::graph {

namespace {

using onnx::TensorProto;

struct ElementType {
  const char* name;
  int bits;  ///< 0 = no fixed width
};

/// Indexed by TensorProto.DataType as of IR version 13.
constexpr std::array<ElementType, 27> kElementTypes = {{
    {"undefined", 0},      {"float32", 32},  {"uint8", 8},        {"int8", 8},           {"uint16", 16},
    {"int16", 16},         {"int32", 32},    {"int64", 64},       {"string", 0},         {"bool", 8},
    {"float16", 16},       {"float64", 64},  {"uint32", 32},      {"uint64", 64},        {"complex64", 64},
    {"complex128", 128},   {"bfloat16", 16}, {"float8e4m3fn", 8}, {"float8e4m3fnuz", 8}, {"float8e5m2", 8},
    {"float8e5m2fnuz", 8}, {"uint4", 4},     {"int4", 4},         {"float4e2m1", 4},     {"float8e8m0", 8},
    {"uint2", 2},          {"int2", 2},
}};

bool known(int type) { return type >= 0 && static_cast<std::size_t>(type) < kElementTypes.size(); }

struct TypePair {
  DType type;
  int onnx_type;
};

constexpr std::array<TypePair, 14> kTypePairs = {{
    {DType::kFloat32, TensorProto::FLOAT},
    {DType::kFloat64, TensorProto::DOUBLE},
    {DType::kFloat16, TensorProto::FLOAT16},
    {DType::kBFloat16, TensorProto::BFLOAT16},
    {DType::kInt8, TensorProto::INT8},
    {DType::kInt16, TensorProto::INT16},
    {DType::kInt32, TensorProto::INT32},
    {DType::kInt64, TensorProto::INT64},
    {DType::kUInt8, TensorProto::UINT8},
    {DType::kUInt16, TensorProto::UINT16},
    {DType::kUInt32, TensorProto::UINT32},
    {DType::kUInt64, TensorProto::UINT64},
    {DType::kBool, TensorProto::BOOL},
    {DType::kString, TensorProto::STRING},
}};

}  // namespace

std::string element_type_name(int onnx_data_type) {
  if (!known(onnx_data_type)) return "type " + std::to_string(onnx_data_type);
  return kElementTypes.at(static_cast<std::size_t>(onnx_data_type)).name;
}

int element_bits(int onnx_data_type) {
  return known(onnx_data_type) ? kElementTypes.at(static_cast<std::size_t>(onnx_data_type)).bits : 0;
}

std::optional<std::int64_t> safe_element_count(const google::protobuf::RepeatedField<std::int64_t>& dims) {
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t extent : dims) {
    if (extent < 0) return std::nullopt;
    if (extent == 0) empty = true;
    if (!empty && __builtin_mul_overflow(count, extent, &count)) return std::nullopt;
  }
  return empty ? 0 : count;
}

std::optional<std::int64_t> raw_data_bytes(int onnx_data_type, std::int64_t elements) {
  const int bits = element_bits(onnx_data_type);
  if (bits == 0 || elements < 0) return std::nullopt;
  if (bits >= 8) {
    std::int64_t bytes = 0;
    if (__builtin_mul_overflow(elements, static_cast<std::int64_t>(bits / 8), &bytes)) return std::nullopt;
    return bytes;
  }
  const std::int64_t per_byte = 8 / bits;
  return elements / per_byte + (elements % per_byte != 0 ? 1 : 0);
}

DType dtype_of(int onnx_data_type) {
  for (const TypePair& pair : kTypePairs) {
    if (pair.onnx_type == onnx_data_type) return pair.type;
  }
  unsupported("A tensor has the element type " + element_type_name(onnx_data_type) +
                  ", which mpq cannot feed to or read from a model.",
              {}, "mpq handles the 8- to 64-bit integers, float16, bfloat16, float32, float64, bool and string.");
}

int onnx_dtype(DType type) {
  for (const TypePair& pair : kTypePairs) {
    if (pair.type == type) return pair.onnx_type;
  }
  throw Error(ErrorCode::kInternal, "An element type has no counterpart in ONNX.");
}

}  // namespace mpq::graph
