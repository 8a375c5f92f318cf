#include "profile/subnet.h"

#include <algorithm>

#include "mpq/error.h"
#include "mpq/quantize.h"

#include "encode/encode.h"
#include "graph/run_index.h"
#include "graph/subnet.h"

namespace mpq::profiling {
namespace {

/// What is known of a tensor at every run: extents that vary are -1.
ValueInfo value_info(const BoundaryTensor& tensor) {
  ValueInfo info;
  info.name = tensor.name;
  info.dtype = tensor.dtype;
  // Before the network has run once, no extents may mean that even their number is not known; and the runtime must not
  // be told that a value is a scalar when it is not (1.32 crashes in a fusion).
  info.has_rank = !tensor.shape.empty();
  info.shape = tensor.shape;
  info.symbols = tensor.symbols;
  for (std::size_t i = 0; i < info.shape.size(); ++i) {
    if (info.symbols[i].empty()) continue;
    info.shape[i] = -1;
    if (info.symbols[i] == "?") info.symbols[i].clear();
  }
  return info;
}

}  // namespace

CuttableModel::CuttableModel(const Model& model, const Profile& profile) : form_(graph::run_form(model)) {
  cuts_.tensors = profile.tensors;
  cuts_.segments = profile.segments;
  for (const BoundaryTensor& tensor : profile.tensors) {
    if (form_.index->find(tensor.name) < 0) {
      throw Error(ErrorCode::kInvalidInput,
                  "The model has no value \"" + tensor.name + "\", at which the profile cuts the network.",
                  model.facts().path, "Profile this model, or give the model that the profile was made of.");
    }
    types_.emplace(tensor.name, value_info(tensor));
  }
}

onnx::ModelProto CuttableModel::cut(const std::vector<int>& segments) const {
  const auto names = [&](const std::vector<int>& positions) {
    std::vector<std::string> result;
    for (const int position : positions) result.push_back(cuts_.tensors.at(static_cast<std::size_t>(position)).name);
    return result;
  };
  const SubnetBoundary boundary = subnet_boundary(cuts_, segments);
  return graph::subnet(form_, names(boundary.inputs), names(boundary.outputs), types_);
}

runtime::Session CuttableModel::session(const std::vector<int>& segments, const Processor& processor,
                                        const std::string& precision) const {
  return {cut(segments), *form_.store, session_options(processor, precision)};
}

runtime::SessionOptions session_options(const Processor& processor, const std::string& precision) {
  runtime::SessionOptions options;
  options.provider = processor.provider;
  options.device = processor.device;
  options.precision = precision;
  options.cores = processor.cores;
  options.threads = std::max(1, static_cast<int>(processor.cores.size()));
  options.fast = true;
  options.slowdown = processor.slowdown;
  return options;
}

std::vector<int> calling_cores(const Processor& processor) {
  if (processor.provider != "cpu" || processor.cores.empty()) return processor.cores;
  return {processor.cores.front()};
}

Variant at_precision(const Model& model, const std::string& precision, Observer& observer) {
  if (precision != "int8" && precision != "int4") return {model, {}};
  Plan plan;
  plan.model = model.facts();
  plan.uniform = true;
  const int bits = precision == "int8" ? 8 : 4;
  for (const Layer& layer : model.layers()) {
    if (!layer.quantizable()) continue;
    PlanEntry entry;
    entry.layer = layer.name;
    entry.candidate = encode::candidates_for(layer, {bits}, {"grid"}).front();
    entry.parameters = layer.parameters;
    plan.entries.push_back(std::move(entry));
  }
  const QuantizedModel written = quantize(model, plan, QuantizeOptions{}, observer);
  Variant variant{written.model(), {}};
  for (const WrittenLayer& layer : written.layers()) {
    if (layer.run_form.ends_with("kernel")) variant.changed_layers.insert(layer.layer);
  }
  return variant;
}

}  // namespace mpq::profiling
