#pragma once

#include "mpq/latency.h"

namespace mpq {

/// price_best_times with what the fastest plan within the size takes there.
struct BestTimes {
  Sensitivity scores;
  double fastest_seconds = 0;
};
BestTimes best_times(const Sensitivity& scores, const Profile& profile, const Budget& size,
                     const AllocateOptions& options);

/// Throws Error{kInvalidInput} where the profile is of another model than the scores.
void require_same_model(const Sensitivity& scores, const Profile& profile);

}  // namespace mpq
