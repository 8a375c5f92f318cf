#include "latency/planned_kernels.h"

#include <algorithm>
#include <map>

#include "encode/storage_form.h"

namespace mpq {

KernelChoice::KernelChoice(const Profile& profile, const AllocateOptions& options)
    : only_floats_(options.compute == "float") {
  if (options.activation_ranges)
    integer_activations_.insert(profile.integer_activations.begin(), profile.integer_activations.end());
}

std::string KernelChoice::operator()(const Layer& layer, const CandidateScore& score) const {
  if (only_floats_) return {};
  const bool plain = score.candidate.form == "grid" && score.candidate.block == 0;
  return plain && integer_activations_.count(layer.name) > 0 ? "int8" : encode::kernel_of_function(score.function);
}

std::vector<PlannedLayer> planned_layers(const Sensitivity& scores, const Profile& profile,
                                         const AllocateOptions& options, const Plan& plan) {
  const KernelChoice kernel_of(profile, options);
  std::map<std::string, const Candidate*> planned;
  for (const PlanEntry& entry : plan.entries) planned.emplace(entry.layer, &entry.candidate);
  std::vector<PlannedLayer> layers;
  for (const LayerSensitivity& layer : scores.layers) {
    PlannedLayer& result = layers.emplace_back();
    result.name = layer.layer.name;
    result.weight = static_cast<double>(layer.layer.parameters);
    const auto entry = planned.find(result.name);
    const auto score = std::find_if(layer.candidates.begin(), layer.candidates.end(), [&](const CandidateScore& c) {
      return entry != planned.end() && c.candidate == *entry->second;
    });
    if (score != layer.candidates.end()) result.kernel = kernel_of(layer.layer, *score);
  }
  return layers;
}

}  // namespace mpq
