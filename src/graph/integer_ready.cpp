#include "graph/integer_ready.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "mpq/error.h"

#include "graph/cut.h"
#include "graph/integer_units.h"
#include "graph/model_impl.h"
#include "graph/raise_opset.h"
#include "graph/scopes.h"
#include "graph/values.h"

namespace mpq::graph {

namespace {

bool has_candidates(const Model& model) {
  return std::ranges::any_of(model.layers(), [](const Layer& layer) {
    const bool product = layer.op == "Conv" || layer.op == "Gemm" || layer.op == "MatMul";
    return layer.quantizable() && layer.dtype == "float32" && layer.graph.empty() && product;
  });
}

/// The converter knows ONNX's own operators of the main graph.
bool can_be_raised(const onnx::ModelProto& model) {
  return model.functions_size() == 0 && model.training_info_size() == 0 && model.opset_import_size() == 1 &&
         model.graph().sparse_initializer_size() == 0 &&
         std::ranges::none_of(model.graph().node(), [](const onnx::NodeProto& node) { return has_body(node); });
}

/// False where it stays as it is.
bool raise(Model::Impl& impl) {
  if (impl.opset >= kScalePerChannel || !can_be_raised(impl.proto)) return false;
  onnx::ModelProto lifted = impl.proto;
  lift_constants(*lifted.mutable_graph());
  try {
    onnx::ModelProto raised = raised_opset(std::move(lifted), kScalePerChannel);
    impl.proto.mutable_graph()->mutable_node()->Swap(raised.mutable_graph()->mutable_node());
    impl.proto.mutable_graph()->mutable_initializer()->Swap(raised.mutable_graph()->mutable_initializer());
    impl.proto.set_ir_version(std::max(impl.proto.ir_version(), raised.ir_version()));
  } catch (const std::exception&) {
    return false;
  }
  impl.proto.mutable_opset_import(0)->set_version(kScalePerChannel);
  return true;
}

/// Which of the original's layers each one is; empty where one of them has no counterpart.
std::vector<std::size_t> originals_of(const Model& changed, const Model& model) {
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < model.layers().size(); ++i) places.emplace(model.layers()[i].name, i);
  std::vector<std::size_t> result(changed.layers().size(), model.layers().size());
  std::size_t matched = 0;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const Layer& layer = changed.layers()[i];
    const auto found = places.find(layer.name);
    if (found == places.end()) continue;
    const Layer& same = model.layers()[found->second];
    if (layer.quantizable() != same.quantizable() || layer.shape != same.shape || layer.op != same.op) continue;
    result[i] = found->second;
    if (layer.quantizable()) ++matched;
  }
  const auto quantizable = [](const Model& of) {
    return static_cast<std::size_t>(std::ranges::count_if(of.layers(), [](const Layer& l) { return l.quantizable(); }));
  };
  if (matched != quantizable(model) || matched != quantizable(changed)) return {};
  return result;
}

}  // namespace

IntegerReady IntegerReady::of(const Model& original) {
  IntegerReady ready{original, std::vector<std::size_t>(original.layers().size()), {}};
  for (std::size_t i = 0; i < ready.originals.size(); ++i) ready.originals[i] = i;
  return ready;
}

IntegerReady integer_ready(const Model& model) {
  if (!has_candidates(model)) return IntegerReady::of(model);
  const Model::Impl& before = model.impl();
  const auto impl = std::make_shared<Model::Impl>();
  const auto store = std::make_shared<TensorStore>(*before.store);
  impl->proto = before.proto;
  impl->opset = before.opset;
  if (listed_initializers_are_constants(impl->proto)) {
    drop_inputs_with_initializers(*impl->proto.mutable_graph());
    impl->proto.set_ir_version(std::max(impl->proto.ir_version(), kFirstIrWithConstantInitializers));
  }
  const bool raised = raise(*impl);
  std::vector<ChannelFold> folds;
  if (raised || before.opset >= kScalePerChannel) folds = fold_channels(impl->proto, *store);
  if (!raised && folds.empty()) return IntegerReady::of(model);
  impl->store = store;
  impl->facts = before.facts;
  impl->had_external_data = before.had_external_data;
  try {
    complete(*impl, before.facts.path);
  } catch (const Error&) {
    return IntegerReady::of(model);  // what the converter made is no valid model
  }
  IntegerReady ready{Model(impl), {}, {}, false};
  ready.originals = originals_of(ready.model, model);
  if (ready.originals.empty()) return IntegerReady::of(model);
  for (ChannelFold& fold : folds) {
    for (std::size_t i = 0; i < impl->sites.size(); ++i) {
      if (impl->sites[i].graph.empty() && impl->sites[i].tensor == fold.weight) ready.folds.emplace(i, std::move(fold));
    }
  }
  return ready;
}

}  // namespace mpq::graph
