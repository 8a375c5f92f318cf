#include "graph/frame.h"

#include <algorithm>

#include "mpq/error.h"

#include "graph/run_index.h"
#include "graph/wording.h"

namespace mpq::graph {
namespace {

void describe(const ValueInfo& info, onnx::ValueInfoProto& proto) {
  auto& type = *proto.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx_dtype(info.dtype));
  if (!info.has_rank) return;
  type.mutable_shape();  // rank 0 has a shape without dimensions
  for (std::size_t i = 0; i < info.shape.size(); ++i) {
    auto& dim = *type.mutable_shape()->add_dim();
    if (info.shape[i] >= 0) {
      dim.set_dim_value(info.shape[i]);
    } else if (i < info.symbols.size() && !info.symbols[i].empty()) {
      dim.set_dim_param(info.symbols[i]);
    }
  }
}

}  // namespace

onnx::ModelProto frame(const onnx::ModelProto& model) {
  onnx::ModelProto result;
  result.set_ir_version(model.ir_version());
  *result.mutable_opset_import() = model.opset_import();
  *result.mutable_functions() = model.functions();
  result.mutable_graph()->set_name(model.graph().name());
  return result;
}

void add_boundary(const RunForm& form, const std::vector<int>& boundary, const std::map<std::string, ValueInfo>& types,
                  onnx::GraphProto& graph) {
  for (const int number : boundary) {
    const RunIndex::ValueFacts& value = form.index->value(number);
    const auto type = types.find(value.name);
    if (type != types.end()) {
      onnx::ValueInfoProto& input = *graph.add_input();
      input.set_name(value.name);
      describe(type->second, input);
    } else if (value.input >= 0) {
      *graph.add_input() = form.model.graph().input(value.input);
    } else {
      throw Error(ErrorCode::kInternal,
                  "The value " + in_quotes(value.name) + " cannot be fed: its type is not known.");
    }
  }
}

// Outputs of the model keep their declared types; for other values the runtime infers what `types` does not tell.
void add_outputs(const RunForm& form, const std::vector<int>& targets, const std::map<std::string, ValueInfo>& types,
                 onnx::GraphProto& graph) {
  for (const int number : targets) {
    const std::string& name = form.index->value(number).name;
    const auto& outputs = form.model.graph().output();
    const auto known = std::find_if(outputs.begin(), outputs.end(), [&](const auto& o) { return o.name() == name; });
    if (known != outputs.end()) {
      *graph.add_output() = *known;
      continue;
    }
    onnx::ValueInfoProto& output = *graph.add_output();
    output.set_name(name);
    const auto type = types.find(name);
    if (type != types.end()) describe(type->second, output);
  }
}

void add_contents(const RunForm& form, const Selection& selection, onnx::GraphProto& graph) {
  const onnx::GraphProto& whole = form.model.graph();
  for (int i = 0; i < whole.node_size(); ++i) {
    if (selection.nodes[static_cast<std::size_t>(i)]) *graph.add_node() = whole.node(i);
  }
  for (std::size_t i = 0; i < selection.constants.size(); ++i) {
    if (!selection.constants[i]) continue;
    const RunIndex::ValueFacts& value = form.index->values[i];
    if (value.initializer >= 0) {
      *graph.add_initializer() = whole.initializer(value.initializer);
    } else {
      *graph.add_sparse_initializer() = whole.sparse_initializer(value.sparse);
    }
  }
}

}  // namespace mpq::graph
