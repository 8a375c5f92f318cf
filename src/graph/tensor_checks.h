#pragma once

#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "graph/tensor_store.h"
#include "graph/visit.h"

namespace mpq::graph {

/// "the initializer 'w'", "the tensor of attribute 'value' of node 'c' (Constant)".
std::string tensor_label(const onnx::TensorProto& tensor, const TensorPlace& place);

/// Throws Error{kInvalidInput} unless the numbers the tensor holds are exactly those its type and dims ask for;
/// Error{kUnsupported} for element types newer than mpq. Nothing is allocated for what dims only promise.
void check_tensor(const onnx::TensorProto& tensor, const std::string& label, const TensorStore& store,
                  const std::string& where);

/// Throws Error{kInvalidInput} when values, indices and dims do not describe a sparse tensor, and
/// Error{kUnsupported} when its dense form, which runtimes make, would be larger than any file can hold.
void check_sparse_tensor(const onnx::SparseTensorProto& sparse, const TensorStore& store, const std::string& where);

}  // namespace mpq::graph
