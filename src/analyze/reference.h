#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "analyze/experiment.h"
#include "support/damage.h"

namespace mpq::perturb {

/// Peaked rows are softened to softmax(logits / kSoftTemperature) for the adjoint's probes.
inline constexpr double kSoftTemperature = 4;

/// What is known of a value the damage is measured on.
struct Target {
  OutputKind kind = OutputKind::kTensor;
  double energy = 1;  ///< mean |y|^2 over the samples; 1 where that is zero
  double weight = 1;  ///< in the mean over a task's targets
  /// Logits and probabilities: the mean over rows and samples of 1 - sum p^2, the trace of the Fisher matrix of the
  /// logits, and of the same at kSoftTemperature; else 0.
  double spread = 0, soft_spread = 0;

  /// Rows so certain that most of them have next to no gradient left.
  bool is_peaked() const { return spread > 0 && spread < .25; }
};

/// The unperturbed network on the samples of the trials.
struct Reference {
  std::string metric;  ///< resolved: never "auto"
  std::map<std::string, Target> targets;
  double forward_seconds = 0;  ///< of processor time, one forward pass
  double load_seconds = 0;     ///< of processor time, making a session of the network
  std::string engine;          ///< resolved: "noise", "rounding" or "adjoint"
};

/// Runs the network on every sample the trials of all parts can use. Warns of targets that hold nothing to be compared
/// with. Throws Error{kInvalidInput} when the model does not run on the samples.
Reference measure_reference(const Experiment& experiment, Observer& observer);

/// The same of outputs that are there already: `outputs(k)` gives those of the k-th trial, in the experiment's order.
/// The times are left to the caller.
Reference reference_of(const Experiment& experiment,
                       const std::function<std::vector<Tensor>(std::size_t trial)>& outputs, Observer& observer);

/// Mean damage of one trial over its task's targets; targets absent from `changed` were out of the layer's reach.
double trial_damage(const Reference& reference, const std::vector<std::string>& targets, const Feed& original,
                    const Feed& changed);

}  // namespace mpq::perturb
