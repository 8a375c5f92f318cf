#pragma once

#include <string>
#include <utility>
#include <vector>

#include <onnx/onnx_pb.h>

#include "mpq/layer.h"
#include "mpq/tensor.h"

#include "encode/function_body.h"
#include "encode/payload.h"
#include "encode/storage_form.h"
#include "runtime/session.h"

// Model-local functions, run by ONNX Runtime.

namespace mpq::encode::testing {

inline onnx::TensorProto constant(const TensorPlan& plan, const Bytes& bytes) {
  onnx::TensorProto tensor;
  tensor.set_name(plan.name);
  tensor.set_data_type(plan.type);
  for (const std::int64_t extent : plan.dims) tensor.add_dims(extent);
  tensor.set_raw_data(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  return tensor;
}

inline onnx::TensorProto constant(const std::string& name, const std::vector<std::uint8_t>& bytes) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::UINT8);
  tensor.add_dims(static_cast<std::int64_t>(bytes.size()));
  tensor.set_raw_data(bytes.data(), bytes.size());
  return tensor;
}

/// What `call`, a node that calls `function`, makes of the constants.
inline Tensor result_of(const onnx::FunctionProto& function, const onnx::NodeProto& call,
                        const std::vector<onnx::TensorProto>& constants, onnx::TensorProto::DataType type,
                        std::int64_t opset) {
  onnx::ModelProto model;
  model.set_ir_version(opset >= 21 ? 10 : 8);
  for (const auto& [domain, version] : {std::pair<std::string, std::int64_t>{"", opset}, {kFunctionDomain, 1}}) {
    onnx::OperatorSetIdProto& import = *model.add_opset_import();
    import.set_domain(domain);
    import.set_version(version);
  }
  *model.add_functions() = function;
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name("g");
  for (const onnx::TensorProto& tensor : constants) *graph.add_initializer() = tensor;
  *graph.add_node() = call;
  onnx::ValueInfoProto& output = *graph.add_output();
  output.set_name(call.output(0));
  output.mutable_type()->mutable_tensor_type()->set_elem_type(type);
  const runtime::Session session(model, graph::TensorStore());
  return session.run({})[0];
}

inline onnx::NodeProto call_of(const std::string& function, const std::vector<std::string>& inputs) {
  onnx::NodeProto node;
  node.set_op_type(function);
  node.set_domain(kFunctionDomain);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output("result");
  return node;
}

}  // namespace mpq::encode::testing
