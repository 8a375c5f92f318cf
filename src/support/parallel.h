#pragma once

#include <cstddef>
#include <functional>

namespace mpq {

/// Cores to use for `requested` threads (0 = all cores of the machine).
int resolve_threads(int requested);

/// Calls body(i, worker) once for every i in [0, count), on up to `threads` workers taking the next free index.
/// worker is in [0, threads). Results must go to slots addressed by i, so that nothing depends on the schedule.
/// The first exception thrown (by lowest index among those thrown) is rethrown after all workers stopped.
void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t, int)>& body);

}  // namespace mpq
