#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mpq/model.h"
#include "mpq/output_role.h"

#include "graph/open_extents.h"
#include "support/damage.h"

namespace mpq::runtime {

/// An output that damage is measured on.
struct MeasuredOutput {
  std::string name;
  double weight = 1;               ///< relative to the others; positive
  std::optional<OutputKind> kind;  ///< as the user said; empty = told from the values
};

/// The outputs damage is measured on: the floating-point ones whose name matches `glob` (empty: all); where none is
/// floating, all that match, and damage then counts disagreement. Those of weight 0 are left out.
/// Throws Error{kUsage} when nothing matches the glob or a role, or every weight is 0.
std::vector<MeasuredOutput> measured_outputs(const std::vector<ValueInfo>& outputs, const std::string& glob,
                                             const std::vector<OutputRole>& roles);

/// The model's open extents where nothing is said of its outputs; what the user says goes over them.
graph::OpenExtents open_extents_in_force(const Model& model, const std::string& glob,
                                         const std::vector<OutputRole>& roles);

/// The same of a model, whose outputs of open extents give way to the values they are made from, which count as tensors
/// (graph/open_extents.h).
std::vector<MeasuredOutput> measured_values(const Model& model, const std::string& glob,
                                            const std::vector<OutputRole>& roles);
std::vector<MeasuredOutput> measured_values(const Model& model, const graph::OpenExtents& open, const std::string& glob,
                                            const std::vector<OutputRole>& roles);

/// sample_damage, but 1 for an output whose extents changed (detections kept, tokens emitted): lost, as if it had
/// become zero, and still comparable with the damage of outputs that only moved.
double output_damage(const std::string& metric, OutputKind kind, const Tensor& reference, const Tensor& changed,
                     double reference_energy);

}  // namespace mpq::runtime
