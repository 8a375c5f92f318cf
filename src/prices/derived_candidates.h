#pragma once

#include <vector>

#include "mpq/sensitivity.h"

namespace mpq {

/// Puts candidates whose prices were worked out among those that were measured, by rising bytes; "float" stays the
/// last.
void add_candidates(std::vector<CandidateScore> added, LayerSensitivity& layer);

}  // namespace mpq
