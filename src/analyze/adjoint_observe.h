#pragma once

#include <cstddef>
#include <cstdint>
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

/// Steps on the sample of the recurrent operators that are written out step by step, all directions together.
std::int64_t recurrent_steps(const Experiment& experiment, const Feed& sample);

/// How far ONNX Runtime is to optimize what is made of `form`: graphs with thousands of small nodes, as recurrent
/// operators written out are, take far longer to optimize than to run.
int optimization_level(const Experiment& experiment, const graph::RunForm& form);

/// Throws NoRule when `form` does not compute what the experiment's own form computes on the sample.
void require_same_outputs(const Experiment& experiment, const Reference& reference, const graph::RunForm& form,
                          const Feed& sample);

}  // namespace mpq::perturb
