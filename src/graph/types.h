#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <onnx/onnx_pb.h>

// ONNX's element types (TensorProto.DataType): their names and how many bytes they take.

namespace mpq::graph {

/// ONNX's name in lower case ("float32", "int4", "float8e4m3fn"); "type 99" for a number ONNX does not define.
std::string element_type_name(int onnx_data_type);

/// Bits of one element as raw_data stores it; 0 for strings, undefined and unknown types.
int element_bits(int onnx_data_type);

/// Product of the extents; empty when one is negative or the product does not fit.
std::optional<std::int64_t> safe_element_count(const google::protobuf::RepeatedField<std::int64_t>& dims);

/// Bytes of `elements` as raw_data stores them (2- and 4-bit types packed, the last byte filled up);
/// empty on overflow and for types without a raw form.
std::optional<std::int64_t> raw_data_bytes(int onnx_data_type, std::int64_t elements);

}  // namespace mpq::graph
