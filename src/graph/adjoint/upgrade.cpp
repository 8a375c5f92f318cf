#include "graph/adjoint/upgrade.h"

#include <algorithm>
#include <exception>
#include <unordered_map>

#include <onnx/version_converter/convert.h>

#include "graph/adjoint/builder.h"
#include "graph/model_impl.h"
#include "graph/run_index.h"

namespace mpq::graph::adjoint {

namespace {

constexpr std::int64_t kWanted = 17;    // ScatterND and ScatterElements add up from 16 on
constexpr std::int64_t kWidening = 13;  // the last change of axes from attributes to inputs that concerns us

onnx::OperatorSetIdProto* default_set(onnx::ModelProto& model) {
  for (auto& set : *model.mutable_opset_import()) {
    if (set.domain().empty() || set.domain() == "ai.onnx") return &set;
  }
  throw NoRule("the model imports no ONNX operator set");
}

/// RoiAlign's defaults changed with 16, BatchNormalization's training outputs with 14.
bool widens(const onnx::GraphProto& graph) {
  return std::none_of(graph.node().begin(), graph.node().end(), [](const onnx::NodeProto& node) {
    return node.op_type() == "RoiAlign" || (node.op_type() == "BatchNormalization" && node.output_size() > 1);
  });
}

/// The converter copies every tensor: large ones stay behind and come back by name.
onnx::ModelProto converted(onnx::ModelProto model) {
  std::unordered_map<std::string, onnx::TensorProto> originals;
  for (auto& tensor : *model.mutable_graph()->mutable_initializer()) {
    if (!in_store(tensor)) continue;
    originals.emplace(tensor.name(), tensor);
    tensor.clear_external_data();
    tensor.clear_data_location();
  }
  onnx::ModelProto result = onnx::version_conversion::ConvertVersion(model, static_cast<int>(kWanted));
  for (auto& tensor : *result.mutable_graph()->mutable_initializer()) {
    const auto original = originals.find(tensor.name());
    if (original != originals.end()) tensor = std::move(original->second);
  }
  result.set_ir_version(std::max<std::int64_t>(result.ir_version(), 8));
  return result;
}

}  // namespace

RunForm upgraded(const RunForm& form) {
  RunForm result = form;
  onnx::OperatorSetIdProto* set = default_set(result.model);
  if (set->version() >= kWanted) return result;
  if (set->version() >= kWidening && widens(result.model.graph())) {
    set->set_version(kWanted);
  } else {
    try {
      result.model = converted(std::move(result.model));
    } catch (const std::exception& failure) {
      throw NoRule("operator set " + std::to_string(set->version()) + " cannot be brought to " +
                   std::to_string(kWanted) + ": " + failure.what());
    }
    sort_nodes(*result.model.mutable_graph());
  }
  result.index = std::make_shared<RunIndex>(result.model);
  return result;
}

}  // namespace mpq::graph::adjoint
