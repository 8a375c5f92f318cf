#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "mpq/error.h"
#include "mpq/latency.h"

#include "latency/best_times.h"
#include "latency/planned_kernels.h"
#include "latency/timed_place.h"

namespace mpq {
namespace {

std::size_t at(int number) { return static_cast<std::size_t>(number); }

/// Seconds that segment `s` and the next one save in one session.
double saving(const CostColumn& column, std::size_t s) {
  if (s + 1 >= column.costs.size() || column.costs[s].with_next.count == 0) return 0;
  const double together = column.costs[s].with_next.seconds;
  return std::max(0.0, column.costs[s].alone.seconds + column.costs[s + 1].alone.seconds - together);
}

/// Every segment's share of the seconds of the whole network. What noise makes seem free keeps a tenth of its time
/// alone.
std::vector<double> shares_of(const CostColumn& column) {
  constexpr double kLeast = .1;
  std::vector<double> shares;
  for (std::size_t s = 0; s < column.costs.size(); ++s) {
    const double saved = saving(column, s) + (s > 0 ? saving(column, s - 1) : 0);
    shares.push_back(std::max(kLeast * column.costs[s].alone.seconds, column.costs[s].alone.seconds - saved / 2));
  }
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (column.whole && sum > 0) {
    for (double& share : shares) share *= column.whole->seconds / sum;
  }
  return shares;
}

/// Segments without layers, which only add or pool, run on integers where the layers before them do: what they gain is
/// handed to the segments they read from, or else to the first behind them.
void hand_on(const Profile& profile, const std::vector<double>& weights, std::vector<double>& gained) {
  for (std::size_t s = gained.size(); s-- > 0;) {
    const std::vector<int>& before = profile.segments[s].predecessors;
    if (weights[s] > 0 || before.empty()) continue;
    for (const int other : before) gained[at(other)] += gained[s] / static_cast<double>(before.size());
    gained[s] = 0;
  }
  double carried = 0;
  for (std::size_t s = 0; s < gained.size(); ++s) {
    gained[s] += std::exchange(carried, 0);
    if (weights[s] <= 0) carried = std::exchange(gained[s], 0);
  }
}

/// What every layer gains by a kernel, by name.
std::map<std::string, double> gains(const Sensitivity& scores, const Profile& profile,
                                    const std::vector<double>& floats, const CostColumn& kernel) {
  std::map<std::string, double> weights, result;
  for (const LayerSensitivity& layer : scores.layers)
    weights[layer.layer.name] = static_cast<double>(layer.layer.parameters);
  if (!runs_whole(kernel)) return result;
  std::vector<double> gained = shares_of(kernel), all(gained.size(), 0);
  for (std::size_t s = 0; s < gained.size(); ++s) {
    gained[s] = floats[s] - gained[s];
    for (const std::string& layer : profile.segments[s].layers) all[s] += weights[layer];
  }
  hand_on(profile, all, gained);
  for (std::size_t s = 0; s < gained.size(); ++s) {
    for (const std::string& layer : profile.segments[s].layers)
      result[layer] += gained[s] * weights[layer] / std::max(all[s], 1.0);
  }
  return result;
}

}  // namespace

Sensitivity price_times(Sensitivity scores, const Profile& profile, int processor, const AllocateOptions& options) {
  require_same_model(scores, profile);
  const CostColumn* base = profile.column(processor, profile.base_precision);
  if (base == nullptr || !runs_whole(*base)) {
    throw Error(ErrorCode::kInvalidInput, "The profile has no times of the whole network on this processor.",
                profile.model.path, "Profile the model again with --devices cpu.");
  }
  const std::vector<double> floats = shares_of(*base);
  const auto nanoseconds = [](double seconds) { return static_cast<std::int64_t>(std::llround(1e9 * seconds)); };
  const Processor& where = profile.processors[at(processor)];
  const std::int64_t whole = nanoseconds(std::accumulate(floats.begin(), floats.end(), 0.0));
  scores.time = {where.name, whole, whole, where.noise};
  std::map<std::string, std::map<std::string, double>> gained;  // kernel -> layer -> seconds; 0 where there is none
  for (const char* kernel : {"int8", "int4"}) {
    const CostColumn* column = profile.column(processor, kernel);
    if (column != nullptr && options.compute != "float") gained[kernel] = gains(scores, profile, floats, *column);
  }
  const KernelChoice kernel_of(profile, options);
  for (LayerSensitivity& layer : scores.layers) {
    for (CandidateScore& score : layer.candidates) {
      score.nanoseconds = -nanoseconds(gained[kernel_of(layer.layer, score)][layer.layer.name]);
    }
  }
  return scores;
}

}  // namespace mpq
