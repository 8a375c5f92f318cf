#include "profile/timing.h"

#include <chrono>
#include <cmath>
#include <sys/resource.h>
#include <utility>

#include "mpq/error.h"

#include "profile/subnet.h"
#include "support/affinity.h"
#include "support/statistics.h"
#include "support/thread_clock.h"

namespace mpq::profiling {
namespace {

/// What the calling thread had of the processor, and how often it was taken away from it.
struct ThreadUse {
  double seconds = 0;
  long preemptions = 0;
};

ThreadUse thread_use() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return {thread_seconds(), usage.ru_nivcsw};
}

}  // namespace

Timing summarize(const std::vector<double>& seconds) {
  Timing timing;
  timing.seconds = quantile(seconds, 0.5);
  std::vector<double> deviations;
  for (const double value : seconds) deviations.push_back(std::abs(value - timing.seconds));
  timing.spread = quantile(deviations, 0.5);
  timing.count = static_cast<int>(seconds.size());
  return timing;
}

std::vector<runtime::SharedValue> Runner::run() const {
  const PinnedThread pinned(cores);
  return session.run_values(inputs);
}

double Runner::timed() const {
  const PinnedThread pinned(cores);
  const ThreadUse before = thread_use();
  const auto start = std::chrono::steady_clock::now();
  (void)session.run_values(inputs);
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const ThreadUse after = thread_use();
  const bool is_disturbed = after.preemptions != before.preemptions;
  return is_disturbed && is_single_thread ? after.seconds - before.seconds : wall;
}

Runner make_runner(runtime::Session session, std::vector<runtime::SharedValue> inputs, const Processor& processor) {
  const bool single = processor.provider == "cpu" && processor.cores.size() == 1 && processor.slowdown <= 1;
  return {std::move(session), std::move(inputs), calling_cores(processor), single};
}

std::vector<Timing> time_in_turn(const std::vector<const Runner*>& runners, int repeats, double most_seconds,
                                 const Observer& observer) {
  std::vector<std::function<double()>> work;
  for (const Runner* runner : runners) work.emplace_back([runner] { return runner->timed(); });
  return time_in_turn(work, repeats, most_seconds, observer);
}

std::vector<Timing> time_in_turn(const std::vector<std::function<double()>>& work, int repeats, double most_seconds,
                                 const Observer& observer) {
  std::vector<std::vector<double>> seconds(work.size());
  std::vector<double> spent(work.size(), 0);
  for (int round = 0; round < repeats; ++round) {
    for (std::size_t i = 0; i < work.size(); ++i) {
      if (round >= kLeastRounds && spent[i] >= most_seconds) continue;
      if (observer.cancelled()) throw Error(ErrorCode::kInterrupted, "Interrupted while the segments were timed.");
      seconds[i].push_back(work[i]());
      spent[i] += seconds[i].back();
    }
  }
  std::vector<Timing> timings;
  for (const auto& values : seconds) timings.push_back(summarize(values));
  return timings;
}

}  // namespace mpq::profiling
