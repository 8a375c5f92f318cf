#include "latency/best_times.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "mpq/error.h"

#include "latency/planned_kernels.h"
#include "latency/timed_place.h"

namespace mpq {
namespace {

std::int64_t nanoseconds(double seconds) { return std::llround(1e9 * seconds); }

/// A plan in three figures: whether it meets the budget of the latency, what it costs the model, and its time.
struct Outcome {
  bool met = true;
  double damage = 0, seconds = 0;
  bool operator<(const Outcome& other) const {
    if (met != other.met) return met;
    const double margin = 1e-12 * std::max(damage, other.damage);
    if (std::abs(damage - other.damage) > margin) return damage < other.damage;
    return seconds < other.seconds;
  }
};

/// Scores whose times are right for a plan and for all that differ from it in one layer.
struct Priced {
  Sensitivity scores;
  Outcome outcome;
  double fastest_seconds = 0;
};

/// Looks for the plan of least damage in one place. What a kernel saves depends on those around it: its neighbours'
/// numbers have to be converted, or a branch beside it takes longer. So plans are found by prices around the last one,
/// from the fastest on, until one finds itself again.
class PriceSearch {
 public:
  PriceSearch(const Sensitivity& scores, const Profile& profile, const Budget& size, const AllocateOptions& options)
      : scores_(scores), profile_(profile), size_(size), options_(options), kernel_of_(profile, options) {}

  /// Throws Error{kInfeasible}.
  Priced run(TimedPlace& place) const {
    constexpr int kRounds = 6;
    PlannedProfile around(profile_, fastest_layers(place));
    Priced result;
    result.fastest_seconds = fastest_seconds(around, place);
    std::optional<Outcome> best;
    std::vector<PlannedLayer> kept;
    AllocateOptions options = options_;
    for (int round = 0; round < kRounds; ++round) {
      const std::optional<Plan> plan = planned(around, place, options, best.has_value());
      if (!plan) break;
      const PlannedProfile next(profile_, planned_layers(scores_, profile_, options_, *plan));
      const Outcome outcome = outcome_of(*plan, place.best_seconds(next));
      if (!best || outcome < *best) {
        best = outcome;
        kept = next.layers();
      }
      if (same_kernels(around, next)) break;
      options = options_;
      if (!outcome.met) options.time_budget->value *= options_.time_budget->value / outcome.seconds;
      for (std::size_t i = 0; i < next.layers().size(); ++i) around.set_kernel(i, next.layers()[i].kernel);
    }
    PlannedProfile found(profile_, kept);
    place.settle(found);
    result.scores = priced_around(found, place);
    result.outcome = *best;
    return result;
  }

  /// Of the fastest plan within the size.
  double fastest_seconds(TimedPlace& place) const {
    PlannedProfile around(profile_, fastest_layers(place));
    return fastest_seconds(around, place);
  }

 private:
  static bool same_kernels(const PlannedProfile& a, const PlannedProfile& b) {
    return std::equal(a.layers().begin(), a.layers().end(), b.layers().begin(),
                      [](const PlannedLayer& x, const PlannedLayer& y) { return x.kernel == y.kernel; });
  }

  Outcome outcome_of(const Plan& plan, double seconds) const {
    const bool met = !options_.time_budget || seconds <= options_.time_budget->value * (1 + 1e-9);
    return {met, plan.predicted_damage, seconds};
  }

  double fastest_seconds(PlannedProfile& around, TimedPlace& place) const {
    place.settle(around);
    return allocate(priced_around(around, place), size_, options_.without_time_budget()).time->fastest_seconds;
  }

  /// `later`: a plan was found before, so that none is no error.
  std::optional<Plan> planned(PlannedProfile& around, TimedPlace& place, const AllocateOptions& options,
                              bool later) const {
    place.settle(around);
    try {
      return allocate(priced_around(around, place), size_, options);
    } catch (const Error& error) {
      if (!later || error.code() != ErrorCode::kInfeasible) throw;
      return std::nullopt;
    }
  }

  /// Every layer on the fastest kernel that any of its candidates has: from integers everywhere, layer by layer.
  std::vector<PlannedLayer> fastest_layers(const TimedPlace& place) const {
    std::vector<PlannedLayer> layers = planned_layers(scores_, profile_, options_, Plan{});
    std::vector<std::set<std::string>> kernels(layers.size());
    for (std::size_t i = 0; i < layers.size(); ++i) {
      for (const CandidateScore& score : scores_.layers[i].candidates)
        kernels[i].insert(kernel_of_(scores_.layers[i].layer, score));
      layers[i].kernel = *kernels[i].rbegin();
    }
    PlannedProfile fastest(profile_, std::move(layers));
    for (std::size_t i = 0; i < kernels.size(); ++i) {
      std::map<double, std::string> by_seconds;
      for (const std::string& kernel : kernels[i]) {
        fastest.set_kernel(i, kernel);
        by_seconds.emplace(place.work_seconds(fastest), kernel);
      }
      fastest.set_kernel(i, by_seconds.begin()->second);
    }
    return fastest.layers();
  }

  /// Of the whole network, by the layer's kernel; all others as they are.
  std::map<std::string, double> seconds_by_kernel(PlannedProfile& around, std::size_t layer,
                                                  const TimedPlace& place) const {
    const std::string own = around.layers()[layer].kernel;
    std::map<std::string, double> seconds = {{"", 0}};
    for (const CandidateScore& score : scores_.layers[layer].candidates)
      seconds[kernel_of_(scores_.layers[layer].layer, score)] = 0;
    if (seconds.size() > 1) {
      for (auto& [kernel, whole] : seconds) {
        around.set_kernel(layer, kernel);
        whole = place.seconds(around);
      }
      around.set_kernel(layer, own);
    }
    return seconds;
  }

  Sensitivity priced_around(PlannedProfile& around, const TimedPlace& place) const {
    Sensitivity result = scores_;
    std::int64_t base = nanoseconds(place.seconds(around));
    for (std::size_t i = 0; i < result.layers.size(); ++i) {
      const std::map<std::string, double> seconds = seconds_by_kernel(around, i, place);
      const double floats = seconds.at("");
      base -= nanoseconds(seconds.at(around.layers()[i].kernel) - floats);
      for (CandidateScore& score : result.layers[i].candidates)
        score.nanoseconds = nanoseconds(seconds.at(kernel_of_(result.layers[i].layer, score)) - floats);
    }
    result.time = {place.name(), nanoseconds(place.float_seconds()), base, place.noise()};
    return result;
  }

  const Sensitivity& scores_;
  const Profile& profile_;
  const Budget& size_;
  const AllocateOptions& options_;
  KernelChoice kernel_of_;
};

}  // namespace

void require_same_model(const Sensitivity& scores, const Profile& profile) {
  if (profile.model.sha256 == scores.model.sha256) return;
  throw Error(ErrorCode::kInvalidInput,
              "The profile is of another model (" + profile.model.path + ") than the sensitivities (" +
                  scores.model.path + ").",
              profile.model.path, "Make a profile of this model with mpq profile.");
}

BestTimes best_times(const Sensitivity& scores, const Profile& profile, const Budget& size,
                     const AllocateOptions& options) {
  require_same_model(scores, profile);
  const PriceSearch search(scores, profile, size, options);
  std::optional<Priced> best;
  std::optional<Error> refusal;
  double fastest = 0;
  for (TimedPlace& place : timed_places(profile, options.divided)) {
    try {
      Priced priced = search.run(place);
      if (!best || priced.outcome < best->outcome) best = std::move(priced);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInfeasible || !options.time_budget) throw;
      const double reach = search.fastest_seconds(place);
      if (refusal && reach >= fastest) continue;
      refusal = error;
      fastest = reach;
    }
  }
  if (!best) throw *refusal;
  return {std::move(best->scores), best->fastest_seconds};
}

Sensitivity price_best_times(const Sensitivity& scores, const Profile& profile, const Budget& size,
                             const AllocateOptions& options) {
  return best_times(scores, profile, size, options).scores;
}

}  // namespace mpq
