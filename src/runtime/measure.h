#pragma once

#include <cstdint>
#include <span>

#include "mpq/samples.h"

#include "runtime/session.h"

namespace mpq::runtime {

/// Median wall seconds of one run of `session`: one run to warm up, then at least three and at most `max_runs` over the
/// feeds in turn, stopped after `budget_seconds`. The unit in which the analysis states its cost.
/// Throws as Session::run, and Error{kInternal} without feeds.
double median_forward_seconds(const Session& session, std::span<const Feed> feeds, int max_runs = 15,
                              double budget_seconds = 2.0);

/// The largest resident set the process ever had, in bytes (VmHWM of proc(5), else getrusage(2)).
std::int64_t peak_memory_bytes();

/// The resident set now, in bytes (VmRSS of proc(5)); 0 where the system does not tell.
std::int64_t resident_bytes();

}  // namespace mpq::runtime
