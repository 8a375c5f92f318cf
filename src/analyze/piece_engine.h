#pragma once

#include <vector>

#include "analyze/adjoint_engine.h"
#include "analyze/piece_forward.h"

namespace mpq::perturb {

/// price_by_adjoint, one piece of the network after the other, from the last to the first: what a piece's reverse pass
/// makes of its inputs is the probe of the pieces before. At most `memory.working_bytes` of gradients and rounding
/// errors are held. The prices are the same up to the order of floating-point sums.
std::vector<Unpriced> price_by_pieces(const Experiment& experiment, const Reference& reference,
                                      const PieceForward& forward, const graph::MemoryPlan& memory, Observer& observer,
                                      CostMeter& cost, std::vector<TaskOutcome>& outcomes);

}  // namespace mpq::perturb
