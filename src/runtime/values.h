#pragma once

#include <optional>
#include <string>

#include <onnxruntime_cxx_api.h>

#include "mpq/model.h"
#include "mpq/tensor.h"

namespace mpq::runtime {

std::optional<DType> dtype_of_element(ONNXTensorElementDataType type);
ONNXTensorElementDataType element_of_dtype(DType type);
/// The runtime's element type for an ONNX TensorProto.DataType; undefined for those it does not hold as tensors of
/// bytes.
ONNXTensorElementDataType element_of_onnx(int onnx_data_type);

/// What the runtime says about an input or output. Values that are no tensors, or hold elements mpq::Tensor does not
/// have, are described as kString without a rank: nothing that arithmetic could be done on.
ValueInfo describe(const std::string& name, const Ort::TypeInfo& info);

/// Shows `tensor` to the runtime without copying it; the tensor must outlive the value.
Ort::Value view(const Tensor& tensor);

/// Copies a result out of the runtime. What is no tensor, or is absent, becomes an empty Tensor of 0 bytes; strings
/// keep their shape but not their text.
Tensor take(const Ort::Value& value);

}  // namespace mpq::runtime
