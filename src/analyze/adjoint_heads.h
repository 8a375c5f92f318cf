#pragma once

#include <string>
#include <vector>

#include "analyze/experiment.h"
#include "analyze/reference.h"
#include "graph/adjoint/adjoint.h"

namespace mpq::perturb {

/// Where probes come in, so that the mean of <G, E>^2 over probes is to second order what trial_damage measures.
/// Throws Error{kUsage} for metrics that are no second-order form (relative_l2, sqnr, cosine).
std::vector<graph::adjoint::Head> heads_of(const Experiment& experiment, const Reference& reference);

/// Probes of one trial for one head: Rademacher numbers keyed by (seed, sample, head) and the probe, times the scale
/// that makes the unit the metric's. `shape` is the head's value's on that sample.
Tensor draw_probes(const Experiment& experiment, const Reference& reference, const graph::adjoint::Head& head,
                   std::size_t trial, const std::vector<std::int64_t>& shape);

}  // namespace mpq::perturb
