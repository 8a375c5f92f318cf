#pragma once

#include <vector>

#include "analyze/cost.h"
#include "analyze/experiment.h"
#include "analyze/reference.h"
#include "analyze/scores.h"

namespace mpq::perturb {

/// Measures by reruns what the adjoint's second-order law does not hold for, and puts the measured damages into
/// `outcomes`: every candidate of 2 and 3 bits; and, width by width from 4 bits up, those of each further width at
/// which a few pilot layers, spread over the network, still contradict the adjoint. Tasks without damages are left
/// alone. Tells the observer how well the engines agree.
void rerun_doubtful(const Experiment& experiment, const Reference& reference, Observer& observer, CostMeter& cost,
                    std::vector<TaskOutcome>& outcomes);

}  // namespace mpq::perturb
