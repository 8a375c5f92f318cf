#pragma once

#include <optional>
#include <vector>

#include "analyze/cost.h"
#include "analyze/cost_bound.h"
#include "analyze/experiment.h"
#include "analyze/reference.h"
#include "analyze/scores.h"

namespace mpq::perturb {

/// Reruns AnalyzeOptions::pilots layers, spread over the network, with all their candidates on up to 16 of the samples
/// the adjoint saw, and compares the damages. Only the pilots' runs are added to `outcomes`; the prices stay. Empty
/// where no layer was priced by the adjoint or no pilot could be rerun.
std::optional<EngineAgreement> agreement_with_reruns(const Experiment& experiment, const Reference& reference,
                                                     CostBound& bound, Observer& observer, CostMeter& cost,
                                                     std::vector<TaskOutcome>& outcomes);

}  // namespace mpq::perturb
