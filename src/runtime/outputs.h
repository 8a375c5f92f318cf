#pragma once

#include <string>
#include <vector>

#include "mpq/model.h"

#include "support/damage.h"

namespace mpq::runtime {

/// The outputs damage is measured on: the floating-point ones whose name matches `glob` (empty: all); where none is
/// floating, all that match, and damage then counts disagreement. Throws Error{kUsage} when nothing matches.
std::vector<std::string> measured_outputs(const std::vector<ValueInfo>& outputs, const std::string& glob);

/// sample_damage, but 1 for an output whose extents changed (detections kept, tokens emitted): lost, as if it had
/// become zero, and still comparable with the damage of outputs that only moved.
double output_damage(const std::string& metric, OutputKind kind, const Tensor& reference, const Tensor& changed,
                     double reference_energy);

}  // namespace mpq::runtime
