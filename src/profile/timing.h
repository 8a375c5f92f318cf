#pragma once

#include <functional>
#include <vector>

#include "mpq/observer.h"
#include "mpq/profile.h"

#include "runtime/session.h"

namespace mpq::profiling {

/// Median, median absolute deviation and count. Throws Error{kInternal} for no values.
Timing summarize(const std::vector<double>& seconds);

/// A session on its processor, with what to run it on.
struct Runner {
  runtime::Session session;
  std::vector<runtime::SharedValue> inputs;
  std::vector<int> cores;

  /// One run from a thread pinned to the processor's cores.
  std::vector<runtime::SharedValue> run() const;
  /// Seconds of one run, after another that brings its data into the processor's caches.
  double timed() const;
};

/// Times runners in turn, so that what disturbs the machine for a while disturbs all of them alike: `repeats` rounds,
/// or, for a runner that would take longer than `most_seconds`, at least kLeastRounds. Each must have run once.
/// Throws Error{kInterrupted} when the observer says so.
inline constexpr int kLeastRounds = 3;
std::vector<Timing> time_in_turn(const std::vector<const Runner*>& runners, int repeats, double most_seconds,
                                 const Observer& observer);

}  // namespace mpq::profiling
