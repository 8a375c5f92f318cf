#pragma once

#include <string>
#include <vector>

#include "analyze/cost.h"
#include "analyze/experiment.h"
#include "analyze/reference.h"
#include "analyze/scores.h"

namespace mpq::perturb {

/// A layer the adjoint cannot price, and why.
struct Unpriced {
  std::size_t task = 0;
  std::string reason;
};

/// Prices every candidate of every task by reverse passes: D_l(E) = mean over samples and probes of <G_l, E>^2, with
/// G_l the adjoint of the layer's weight (docs/methods.md 1; Hutchinson 1989, Martens 2014). The cost does not depend
/// on the number of candidates, nor on the depth. Fills `outcomes` as the reruns would: one damage per sample.
/// Returns the tasks that have to be measured by reruns. Throws Error{kInterrupted} when the observer cancels,
/// Error{kUsage} for a metric it cannot price.
std::vector<Unpriced> price_by_adjoint(const Experiment& experiment, const Reference& reference, Observer& observer,
                                       CostMeter& cost, std::vector<TaskOutcome>& outcomes);

/// One warning per reason.
void warn_of_unpriced(const Experiment& experiment, const std::vector<Unpriced>& unpriced, Observer& observer);

}  // namespace mpq::perturb
