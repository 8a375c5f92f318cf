#pragma once

#include <map>
#include <string>
#include <vector>

#include "analyze/experiment.h"
#include "support/damage.h"

namespace mpq::perturb {

/// What is known of a value the damage is measured on.
struct Target {
  OutputKind kind = OutputKind::kTensor;
  double energy = 1;  ///< mean |y|^2 over the samples; 1 where that is zero
  double weight = 1;  ///< in the mean over a task's targets
};

/// The unperturbed network on the samples of the trials.
struct Reference {
  std::string metric;  ///< resolved: never "auto"
  std::map<std::string, Target> targets;
  double forward_seconds = 0;  ///< of processor time, one forward pass
  double load_seconds = 0;     ///< of processor time, making a session of the network
  std::string engine;          ///< resolved: "noise", "rounding" or "adjoint"
};

/// Runs the network on every sample the trials can use. Warns of targets that hold nothing to be compared with.
/// Throws Error{kInvalidInput} when the model does not run on the samples.
Reference measure_reference(const Experiment& experiment, Observer& observer);

/// Mean damage of one trial over its task's targets; targets absent from `changed` were out of the layer's reach.
double trial_damage(const Reference& reference, const std::vector<std::string>& targets, const Feed& original,
                    const Feed& changed);

}  // namespace mpq::perturb
