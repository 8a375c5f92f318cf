#pragma once

#include <vector>

#include "analyze/scores.h"

namespace mpq::perturb {

/// Layers whose outputs the samples never used: a branch not taken, a mode not asked for. Every trial of every
/// candidate left the outputs as they were, bit for bit, though the layer does lead to them. That is no evidence that
/// two bits would do, so such a layer is priced like the model's median layer: relative squared error of its weights
/// times the median, over the measured layers, of damage per relative squared error at the reference width. The
/// standard error is put at the damage itself, and the observer is warned.
void price_unexercised(const Experiment& experiment, const std::vector<TaskOutcome>& outcomes, Sensitivity& scores,
                       Observer& observer);

}  // namespace mpq::perturb
