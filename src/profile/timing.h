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
  std::vector<int> cores;  ///< of the thread that calls
  /// All the work is done by the thread that calls, on one core.
  bool is_single_thread = false;

  /// One run from a thread pinned to the processor's cores.
  std::vector<runtime::SharedValue> run() const;
  /// Seconds of one run. Where other programs took the core away in the middle of it, the processor time it had, if it
  /// is single-threaded: what the segment costs and not what the machine was busy with.
  double timed() const;
};

/// A runner for a processor.
Runner make_runner(runtime::Session session, std::vector<runtime::SharedValue> inputs, const Processor& processor);

/// Times runners in turn, so that what disturbs the machine for a while disturbs all of them alike, and no weights lie
/// in the innermost caches that would not lie there while the whole network runs: `repeats` rounds, or, for a runner
/// that would take longer than `most_seconds`, at least kLeastRounds. Each must have run once. Throws
/// Error{kInterrupted} when the observer says so.
inline constexpr int kLeastRounds = 3;
std::vector<Timing> time_in_turn(const std::vector<const Runner*>& runners, int repeats, double most_seconds,
                                 const Observer& observer);
/// The same of any work that tells its seconds.
std::vector<Timing> time_in_turn(const std::vector<std::function<double()>>& work, int repeats, double most_seconds,
                                 const Observer& observer);

}  // namespace mpq::profiling
