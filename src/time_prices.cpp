#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>

#include "mpq/error.h"
#include "mpq/latency.h"

#include "encode/storage_form.h"

namespace mpq {
namespace {

std::size_t at(int number) { return static_cast<std::size_t>(number); }

/// Seconds that segment `s` and the next one save in one session.
double saving(const CostColumn& column, std::size_t s) {
  if (s + 1 >= column.costs.size() || column.costs[s].with_next.count == 0) return 0;
  const double together = column.costs[s].with_next.seconds;
  return std::max(0.0, column.costs[s].alone.seconds + column.costs[s + 1].alone.seconds - together);
}

/// Every segment's share of the seconds of the whole network.
std::vector<double> shares_of(const CostColumn& column) {
  std::vector<double> shares;
  for (std::size_t s = 0; s < column.costs.size(); ++s) {
    const double saved = saving(column, s) + (s > 0 ? saving(column, s - 1) : 0);
    shares.push_back(std::max(0.0, column.costs[s].alone.seconds - saved / 2));
  }
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (column.whole && sum > 0) {
    for (double& share : shares) share *= column.whole->seconds / sum;
  }
  return shares;
}

bool runs_whole(const CostColumn& column) {
  return std::all_of(column.costs.begin(), column.costs.end(), [](const SegmentCost& c) { return c.supported(); });
}

/// What every layer gains by a kernel, by name.
std::map<std::string, double> gains(const Sensitivity& scores, const Profile& profile,
                                    const std::vector<double>& floats, const CostColumn& kernel) {
  std::map<std::string, double> weights, result;
  for (const LayerSensitivity& layer : scores.layers)
    weights[layer.layer.name] = static_cast<double>(layer.layer.parameters);
  if (!runs_whole(kernel)) return result;
  const std::vector<double> shares = shares_of(kernel);
  for (std::size_t s = 0; s < profile.segments.size(); ++s) {
    double all = 0;
    for (const std::string& layer : profile.segments[s].layers) all += weights[layer];
    for (const std::string& layer : profile.segments[s].layers)
      result[layer] += (floats[s] - shares[s]) * weights[layer] / std::max(all, 1.0);
  }
  return result;
}

/// Of the profile's processors those that can run the whole network as it stands.
std::vector<int> usable_processors(const Profile& profile) {
  std::vector<int> result;
  for (std::size_t p = 0; p < profile.processors.size(); ++p) {
    const CostColumn* column = profile.column(static_cast<int>(p), profile.base_precision);
    if (profile.processors[p].present() && column != nullptr && runs_whole(*column))
      result.push_back(static_cast<int>(p));
  }
  return result;
}

/// A plan in two figures: what it costs the model, and its time.
struct Outcome {
  double damage = 0, seconds = 0;
  bool operator<(const Outcome& other) const {
    const double margin = 1e-12 * std::max(damage, other.damage);
    if (std::abs(damage - other.damage) > margin) return damage < other.damage;
    return seconds < other.seconds;
  }
};

}  // namespace

Sensitivity price_times(Sensitivity scores, const Profile& profile, int processor, const std::string& compute) {
  if (profile.model.sha256 != scores.model.sha256) {
    throw Error(ErrorCode::kInvalidInput,
                "The profile is of another model (" + profile.model.path + ") than the sensitivities (" +
                    scores.model.path + ").",
                profile.model.path, "Make a profile of this model with mpq profile.");
  }
  const CostColumn* base = profile.column(processor, profile.base_precision);
  if (base == nullptr || !runs_whole(*base)) {
    throw Error(ErrorCode::kInvalidInput, "The profile has no times of the whole network on this processor.",
                profile.model.path, "Profile the model again with --devices cpu.");
  }
  const std::vector<double> floats = shares_of(*base);
  const auto nanoseconds = [](double seconds) { return static_cast<std::int64_t>(std::llround(1e9 * seconds)); };
  const Processor& where = profile.processors[at(processor)];
  scores.time = {where.name, nanoseconds(std::accumulate(floats.begin(), floats.end(), 0.0)), where.noise};
  std::map<std::string, std::map<std::string, double>> gained;  // kernel -> layer -> seconds; 0 where there is none
  for (const char* kernel : {"int8", "int4"}) {
    const CostColumn* column = profile.column(processor, kernel);
    if (column != nullptr && compute != "float") gained[kernel] = gains(scores, profile, floats, *column);
  }
  for (LayerSensitivity& layer : scores.layers) {
    for (CandidateScore& score : layer.candidates) {
      score.nanoseconds = -nanoseconds(gained[encode::kernel_of_function(score.function)][layer.layer.name]);
    }
  }
  return scores;
}

Sensitivity price_best_times(const Sensitivity& scores, const Profile& profile, const Budget& size,
                             const AllocateOptions& options) {
  std::optional<Sensitivity> best;
  std::optional<Outcome> least;
  std::optional<Error> refusal;
  double fastest = 0;
  for (const int processor : usable_processors(profile)) {
    Sensitivity priced = price_times(scores, profile, processor, options.compute);
    const double reach = allocate(priced, size, options.without_time_budget()).time->fastest_seconds;
    try {
      const Plan plan = allocate(priced, size, options);
      const Outcome outcome{plan.predicted_damage, plan.time->predicted_seconds};
      if (least && !(outcome < *least)) continue;
      least = outcome;
      best = std::move(priced);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInfeasible) throw;
      if (refusal && reach >= fastest) continue;
      refusal = error;
      fastest = reach;
    }
  }
  if (best) return *std::move(best);
  if (refusal) throw *refusal;
  throw Error(ErrorCode::kInvalidInput, "No processor of the profile runs the whole network.", profile.model.path,
              "Profile the model again with --devices cpu.");
}

}  // namespace mpq
