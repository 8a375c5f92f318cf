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
};

/// The unperturbed network on the samples of the trials.
struct Reference {
  std::string metric;  ///< resolved: never "auto"
  std::map<std::string, Target> targets;
  double forward_seconds = 0;  ///< median of one forward pass, one thread
};

/// Runs the network on every sample the trials can use. Drops targets whose reference holds no finite numbers
/// from the experiment's outputs and tasks (with a warning); throws Error{kInvalidInput} when none is left.
Reference measure_reference(Experiment& experiment, Observer& observer);

/// Mean damage of one trial over its task's targets; targets absent from `changed` were out of the layer's reach.
/// A target whose shape changed counts as lost: damage 1, as if it had become zero.
double trial_damage(const Reference& reference, const std::vector<std::string>& targets, const Feed& original,
                    const Feed& changed);

}  // namespace mpq::perturb
