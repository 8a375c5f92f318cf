#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mpq/placement.h"

#include "place/problem.h"

namespace mpq::placing {

/// The placement of greatest throughput, exactly, among all that divide the processors into lanes, where each lane is
/// a contiguous pipeline of the whole network and each stage of it is served by one processor or by several that take
/// turns. Replicas are lanes of one stage. Dynamic programming over (segment, set of processors); for pipelines alone:
/// Benoit and Robert, "Mapping pipeline skeletons onto heterogeneous platforms", JPDC 68 (2008).
///
/// A stage of processors G serves sum over G of 1 / t_p requests per second, a lane as many as its slowest stage, the
/// placement the sum of its lanes. With a limit only lanes count whose requests take no longer under load: by Little's
/// law (processors of the lane) / (rate of the lane) seconds.
/// Where no processors can serve contiguous stages (each lacks segments in between) the placement of least latency, as
/// one lane. Throws Error{kInfeasible} when no lane meets the limit.
Placement place_for_throughput(const Problem& problem, std::optional<double> latency_limit = {});

/// One stage of a lane while it is planned.
struct Stage {
  int first = 0, end = 0;
  std::uint32_t processors = 0;
};

/// For every set of processors the best single pipeline that uses exactly these (rate 0 where there is none better
/// than running the whole network on each of them).
struct Pipelines {
  std::vector<double> rate;                ///< by set
  std::vector<std::vector<Stage>> stages;  ///< by set
};
/// `replicated` allows several processors per stage. With a limit the whole network on one processor is only weighed
/// against where it meets the limit.
Pipelines best_pipelines(const Problem& problem, bool replicated, std::optional<double> latency_limit = {});

}  // namespace mpq::placing
