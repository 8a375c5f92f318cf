#include "place/bounds.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace mpq::placing {
namespace {

/// What a segment costs at least on a processor, in whatever session it runs.
double least_seconds(const Problem& problem, int segment, int p) {
  const double time = problem.time(segment, p);
  if (time == kNever) return kNever;
  const double elsewhere = std::max(0.0, time - problem.processors[static_cast<std::size_t>(p)].run_overhead);
  return segment == 0 ? elsewhere : std::min({time, elsewhere, problem.time_behind(segment - 1, segment, p)});
}

using Weights = std::array<double, 64>;

double weight_of(const Processor& processor, const Weights& weights) {
  double sum = 0;
  for (std::size_t r = 0; r < weights.size(); ++r) {
    if ((processor.resources >> r & 1U) != 0) sum += weights[r];
  }
  return sum;
}

void scale_to_one(Weights& weights) {
  double sum = 0;
  for (const double w : weights) sum += w;
  for (double& w : weights) w /= sum;
}

}  // namespace

double critical_path(const Problem& problem) {
  std::vector<double> end(static_cast<std::size_t>(problem.segments), 0), ready = end;
  std::vector<std::vector<int>> readers(end.size());
  for (const Handover& value : problem.handovers) {
    if (value.producer >= 0) {
      auto& list = readers[static_cast<std::size_t>(value.producer)];
      list.insert(list.end(), value.consumers.begin(), value.consumers.end());
    }
  }
  double longest = 0;
  for (std::size_t s = 0; s < end.size(); ++s) {
    double least = kNever;
    for (int p = 0; p < problem.processor_count(); ++p)
      least = std::min(least, least_seconds(problem, static_cast<int>(s), p));
    end[s] = ready[s] + least;
    longest = std::max(longest, end[s]);
    for (const int reader : readers[s])
      ready[static_cast<std::size_t>(reader)] = std::max(ready[static_cast<std::size_t>(reader)], end[s]);
  }
  return longest;
}

double work_bound(const Problem& problem) {
  Weights weights{};
  for (const Processor& processor : problem.processors) {
    for (std::size_t r = 0; r < weights.size(); ++r) {
      if ((processor.resources >> r & 1U) != 0) weights[r] = 1;
    }
  }
  scale_to_one(weights);
  double best = 0;
  // Multiplicative weights: cores that the cheapest assignment loads gain weight. Every step's value is a bound.
  constexpr int kSteps = 300;
  for (int step = 0; step < kSteps; ++step) {
    Weights load{};
    double bound = 0, greatest = 0;
    for (int s = 0; s < problem.segments; ++s) {
      int chosen = -1;
      double least = kNever;
      for (int p = 0; p < problem.processor_count(); ++p) {
        const double seconds = least_seconds(problem, s, p);
        if (seconds == kNever) continue;
        const double cost = weight_of(problem.processors[static_cast<std::size_t>(p)], weights) * seconds;
        if (cost < least) {
          least = cost;
          chosen = p;
        }
      }
      bound += least;
      const Processor& processor = problem.processors[static_cast<std::size_t>(chosen)];
      for (std::size_t r = 0; r < load.size(); ++r) {
        if ((processor.resources >> r & 1U) != 0) load[r] += least_seconds(problem, s, chosen);
        greatest = std::max(greatest, load[r]);
      }
    }
    best = std::max(best, bound);
    if (greatest <= 0) break;
    const double rate = 1.0 / std::sqrt(step + 1.0);
    for (std::size_t r = 0; r < weights.size(); ++r) weights[r] *= std::exp(rate * (load[r] / greatest - 1));
    scale_to_one(weights);
  }
  return best;
}

}  // namespace mpq::placing
