#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>
#include <vector>

#include "analyze/experiment.h"
#include "analyze/reference.h"
#include "graph/adjoint/facts.h"
#include "runtime/session.h"

namespace mpq::perturb {

/// Adds the facts of the session's outputs `names` on one sample, so many of them at a time; numbers of those in
/// `fixed`.
void observe_values(const runtime::Session& session, const Feed& feed, const std::vector<std::string>& names,
                    const std::unordered_set<std::string>& fixed, std::size_t at_once, graph::adjoint::FactsMap& facts);

/// Types and shapes of every value of the network on one sample, and the numbers of those that hold for every sample
/// of the same shapes. `form` is the one the adjoint is built from.
graph::adjoint::FactsMap observe(const Experiment& experiment, const graph::RunForm& form, const Feed& sample);

/// Throws NoRule when `form` does not compute what the experiment's own form computes on the sample.
void require_same_outputs(const Experiment& experiment, const Reference& reference, const graph::RunForm& form,
                          const Feed& sample);

}  // namespace mpq::perturb
