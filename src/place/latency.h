#pragma once

#include <cstdint>
#include <optional>

#include "mpq/placement.h"

#include "place/problem.h"

namespace mpq::placing {

/// The placement that answers one request soonest, among: the whole network on one processor; the network cut where
/// everything passes through one segment, and the blocks between such segments each on one processor or spread over
/// several by list scheduling, chosen by dynamic programming (exact where the network is a chain); list scheduling of
/// the whole network; and, where `batch_rows` > 1, the rows of the batch divided among processors.
/// Throws Error{kInfeasible} when none meets the limit.
Placement place_for_latency(const Problem& problem, std::int64_t batch_rows = 0,
                            std::optional<double> latency_limit = {});

}  // namespace mpq::placing
