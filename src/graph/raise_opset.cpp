#include "graph/raise_opset.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include <onnx/version_converter/convert.h>

#include "graph/tensor_store.h"
#include "graph/topology.h"

namespace mpq::graph {

/// The converter copies every tensor: large ones stay behind and come back by name.
onnx::ModelProto raised_opset(onnx::ModelProto model, std::int64_t version) {
  constexpr std::int64_t kLeastIr = 8;
  std::unordered_map<std::string, onnx::TensorProto> originals;
  for (auto& tensor : *model.mutable_graph()->mutable_initializer()) {
    if (!in_store(tensor)) continue;
    originals.emplace(tensor.name(), tensor);
    tensor.clear_external_data();
    tensor.clear_data_location();
  }
  onnx::ModelProto result = onnx::version_conversion::ConvertVersion(model, static_cast<int>(version));
  for (auto& tensor : *result.mutable_graph()->mutable_initializer()) {
    const auto original = originals.find(tensor.name());
    if (original != originals.end()) tensor = std::move(original->second);
  }
  result.set_ir_version(std::max<std::int64_t>(result.ir_version(), kLeastIr));
  sort_nodes(*result.mutable_graph()->mutable_node());
  return result;
}

}  // namespace mpq::graph
