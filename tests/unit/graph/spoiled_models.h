#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model_files.h"

namespace mpq::graph::testing {

// Ways to spoil a model, for the tests of what mpq checks.

using onnx::ModelProto;
using onnx::TensorProto;

inline onnx::GraphProto& graph_of(ModelProto& model) { return *model.mutable_graph(); }
inline TensorProto& weight_of(ModelProto& model) { return *model.mutable_graph()->mutable_initializer(0); }

inline onnx::NodeProto& add_node(onnx::GraphProto& graph, const std::string& op, const std::vector<std::string>& inputs,
                                 const std::string& output) {
  auto* node = graph.add_node();
  node->set_op_type(op);
  for (const std::string& input : inputs) node->add_input(input);
  node->add_output(output);
  return *node;
}

/// Adds an If whose then-branch is returned for the test to fill; it has the output "branch_y".
inline onnx::GraphProto& add_if(ModelProto& model) {
  onnx::GraphProto& graph = graph_of(model);
  auto* condition = graph.add_initializer();
  condition->set_name("condition");
  condition->set_data_type(TensorProto::BOOL);
  condition->set_raw_data(std::string(1, '\1'));
  onnx::NodeProto& node = add_node(graph, "If", {"condition"}, "if_y");
  onnx::GraphProto* branches[2] = {};
  for (int i = 0; i < 2; ++i) {
    auto* attribute = node.add_attribute();
    attribute->set_name(i == 0 ? "then_branch" : "else_branch");
    attribute->set_type(onnx::AttributeProto::GRAPH);
    branches[i] = attribute->mutable_g();
    branches[i]->set_name(attribute->name());
    branches[i]->add_output()->set_name("branch_y");
  }
  add_node(*branches[1], "Identity", {"x"}, "branch_y");
  return *branches[0];
}

inline onnx::FunctionProto& add_function(ModelProto& model, const std::string& name) {
  onnx::FunctionProto& function = *model.add_functions();
  function.set_name(name);
  function.set_domain("local");
  function.add_input("a");
  function.add_output("b");
  auto* import = function.add_opset_import();
  import->set_version(17);
  return function;
}

inline onnx::SparseTensorProto& add_sparse(ModelProto& model) {
  auto* sparse = graph_of(model).add_sparse_initializer();
  sparse->add_dims(4);
  sparse->add_dims(5);
  auto* values = sparse->mutable_values();
  values->set_name("s");
  values->set_data_type(TensorProto::FLOAT);
  values->add_dims(2);
  values->add_float_data(1);
  values->add_float_data(2);
  auto* indices = sparse->mutable_indices();
  indices->set_data_type(TensorProto::INT64);
  indices->add_dims(2);
  indices->add_int64_data(3);
  indices->add_int64_data(19);
  return *sparse;
}

}  // namespace mpq::graph::testing
