#include "profile/timing.h"

#include <chrono>
#include <cmath>

#include "mpq/error.h"

#include "support/affinity.h"
#include "support/statistics.h"

namespace mpq::profiling {

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
  (void)session.run_values(inputs);
  const auto start = std::chrono::steady_clock::now();
  (void)session.run_values(inputs);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<Timing> time_in_turn(const std::vector<const Runner*>& runners, int repeats, double most_seconds,
                                 const Observer& observer) {
  std::vector<std::vector<double>> seconds(runners.size());
  std::vector<double> spent(runners.size(), 0);
  for (int round = 0; round < repeats; ++round) {
    for (std::size_t i = 0; i < runners.size(); ++i) {
      if (round >= kLeastRounds && spent[i] >= most_seconds) continue;
      if (observer.cancelled()) throw Error(ErrorCode::kInterrupted, "Interrupted while the segments were timed.");
      seconds[i].push_back(runners[i]->timed());
      spent[i] += 2 * seconds[i].back();
    }
  }
  std::vector<Timing> timings;
  for (const auto& values : seconds) timings.push_back(summarize(values));
  return timings;
}

}  // namespace mpq::profiling
