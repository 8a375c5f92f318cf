#pragma once

#include "analyze/experiment.h"
#include "analyze/reference.h"
#include "graph/adjoint/facts.h"

namespace mpq::perturb {

/// Types and shapes of every value of the network on one sample, and the numbers of those that hold for every sample
/// of the same shapes. `form` is the one the adjoint is built from.
graph::adjoint::FactsMap observe(const Experiment& experiment, const graph::RunForm& form, const Feed& sample);

/// Throws NoRule when `form` does not compute what the experiment's own form computes on the sample.
void require_same_outputs(const Experiment& experiment, const Reference& reference, const graph::RunForm& form,
                          const Feed& sample);

}  // namespace mpq::perturb
