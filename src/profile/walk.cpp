#include "profile/walk.h"

#include <algorithm>
#include <unordered_map>

#include "mpq/error.h"

#include "runtime/session.h"

namespace mpq::profiling {
namespace {

void describe(const ValueInfo& info, BoundaryTensor& tensor) {
  tensor.dtype = info.dtype;
  tensor.shape = info.shape;
  tensor.symbols = info.symbols;
  tensor.symbols.resize(info.shape.size());
  for (std::size_t i = 0; i < info.shape.size(); ++i) {
    if (info.shape[i] < 0 && tensor.symbols[i].empty()) tensor.symbols[i] = "?";
    if (info.shape[i] >= 0) tensor.symbols[i].clear();
  }
}

}  // namespace

void describe_tensors(const Model& model, const graph::RunForm& form, std::vector<BoundaryTensor>& tensors) {
  std::vector<std::string> computed;
  for (const BoundaryTensor& tensor : tensors) {
    if (tensor.producer >= 0) computed.push_back(tensor.name);
  }
  runtime::SessionOptions options;
  options.optimization_level = 1;  // folds constants, from which further shapes follow
  const runtime::Session session(graph::with_outputs(form, computed), *form.store, options);
  std::unordered_map<std::string, const ValueInfo*> known;
  for (const ValueInfo& info : session.outputs()) known.emplace(info.name, &info);
  for (const ValueInfo& info : model.inputs()) known.emplace(info.name, &info);
  for (BoundaryTensor& tensor : tensors) {
    const auto found = known.find(tensor.name);
    if (found == known.end()) {
      throw Error(ErrorCode::kInternal, "Nothing is known of the value \"" + tensor.name + "\".", tensor.name);
    }
    describe(*found->second, tensor);
  }
}

Walk::Walk(const CuttableModel& model, Profile& profile, const Feed& feed) : model_(model), profile_(profile) {
  for (std::size_t i = 0; i < profile.tensors.size(); ++i) {
    if (profile.tensors[i].producer >= 0) continue;
    const auto fed = feed.find(profile.tensors[i].name);
    if (fed == feed.end()) {
      throw Error(ErrorCode::kInvalidInput, "The samples lack the model's input \"" + profile.tensors[i].name + "\".",
                  profile.tensors[i].name, "Give an array of that name.");
    }
    keep(static_cast<int>(i), runtime::SharedValue(fed->second));
  }
}

void Walk::keep(int position, runtime::SharedValue value) {
  BoundaryTensor& tensor = profile_.tensors[static_cast<std::size_t>(position)];
  tensor.shape = value.shape();
  tensor.symbols.resize(tensor.shape.size(), "?");
  tensor.bytes = value.size_bytes();
  values_.insert_or_assign(position, std::move(value));
}

std::vector<runtime::SharedValue> Walk::inputs_of(const std::vector<int>& segments) const {
  std::vector<runtime::SharedValue> inputs;
  for (const int position : subnet_boundary(profile_, segments).inputs) inputs.push_back(values_.at(position));
  return inputs;
}

void Walk::advance() {
  const std::vector<int> segments = {next_};
  const runtime::Session session(model_.cut(segments), model_.store());
  std::vector<runtime::SharedValue> outputs = session.run_values(inputs_of(segments));
  const std::vector<int> positions = subnet_boundary(profile_, segments).outputs;
  for (std::size_t i = 0; i < positions.size(); ++i) keep(positions[i], std::move(outputs[i]));
  ++next_;
  std::erase_if(values_, [&](const auto& entry) {
    const auto& consumers = profile_.tensors[static_cast<std::size_t>(entry.first)].consumers;
    return consumers.empty() || consumers.back() < next_;
  });
}

}  // namespace mpq::profiling
