#include "graph/adjoint/upgrade.h"

#include <algorithm>
#include <exception>

#include "graph/adjoint/builder.h"
#include "graph/adjoint/write_out.h"
#include "graph/raise_opset.h"
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

/// True where the model was changed.
bool raise(onnx::ModelProto& model) {
  onnx::OperatorSetIdProto* set = default_set(model);
  if (set->version() >= kWanted) return false;
  if (set->version() >= kWidening && widens(model.graph())) {
    set->set_version(kWanted);
    return true;
  }
  try {
    model = raised_opset(std::move(model), kWanted);
  } catch (const std::exception& failure) {
    throw NoRule("operator set " + std::to_string(set->version()) + " cannot be brought to " + std::to_string(kWanted) +
                 ": " + failure.what());
  }
  return true;
}

}  // namespace

RunForm upgraded(const RunForm& form) {
  RunForm result = form;
  bool changed = write_out_calls(result.model);
  changed |= raise(result.model);
  changed |= write_out_operators(result.model);
  if (changed) result.index = std::make_shared<RunIndex>(result.model);
  return result;
}

}  // namespace mpq::graph::adjoint
