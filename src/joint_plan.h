#pragma once

#include <functional>

#include "mpq/allocate.h"
#include "mpq/observer.h"

namespace mpq {

/// Damage of a plan as a whole: all its layers rounded at once.
using PlanMeasure = std::function<double(const Plan&)>;

/// The plan for a budget that does best as a whole.
///
/// Damages of single layers rank plans well and are all an exact allocation can add up, but they are prices at the
/// float network. Where many layers are damaged badly at once, the same rounding costs more (a digits classifier at 3
/// bits: ten times the sum). So the contending plans are measured, and where the best of them costs more than three
/// times its sum, it is repaired: every layer's step to the next smaller and larger candidate is measured at this plan,
/// the best steps under the same budget are taken (the same knapsack, exactly), and again until the whole gains no
/// more.
Plan best_plan_together(const Sensitivity& scores, const Budget& budget, const AllocateOptions& options,
                        const PlanMeasure& measure, Observer& observer);

}  // namespace mpq
