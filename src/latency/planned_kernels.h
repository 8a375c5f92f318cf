#pragma once

#include <set>
#include <string>
#include <vector>

#include "mpq/allocate.h"
#include "mpq/plan.h"
#include "mpq/profile.h"
#include "mpq/sensitivity.h"

#include "latency/planned_profile.h"

namespace mpq {

/// Which of a profile's kernels a candidate runs on, as the encoder writes it.
class KernelChoice {
 public:
  KernelChoice(const Profile& profile, const AllocateOptions& options);

  /// "int8", "int4", or "" for floats. A layer with integer activations runs on the int8 kernel at every width of a
  /// plain grid.
  std::string operator()(const Layer& layer, const CandidateScore& score) const;

 private:
  bool only_floats_;
  std::set<std::string> integer_activations_;
};

/// The layers of the scores with the kernels that the plan gives them.
std::vector<PlannedLayer> planned_layers(const Sensitivity& scores, const Profile& profile,
                                         const AllocateOptions& options, const Plan& plan);

}  // namespace mpq
