#pragma once

#include <vector>

#include "mpq/sensitivity.h"

namespace mpq {

/// The grid of the same width on a trellis, whose squared error on the weights is `error_ratio` of the grid's: its
/// damage is as much of the grid's.
CandidateScore trellis_like(const CandidateScore& grid, const Layer& layer, double error_ratio);

/// Puts candidates whose prices were worked out among those that were measured, by rising bytes; "float" stays the
/// last.
void add_candidates(std::vector<CandidateScore> added, LayerSensitivity& layer);

/// Takes the trellises out of a layer, or prices these again by its grids and puts them back.
std::vector<CandidateScore> take_trellises(LayerSensitivity& layer);
void put_trellises(const std::vector<CandidateScore>& trellises, LayerSensitivity& layer);

}  // namespace mpq
