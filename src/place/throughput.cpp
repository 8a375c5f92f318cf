#include "place/throughput.h"

#include <algorithm>
#include <bit>
#include <map>

#include <fmt/format.h>

#include "mpq/error.h"

#include "place/latency.h"
#include "place/spans.h"

namespace mpq::placing {
namespace {

std::vector<int> members(std::uint32_t set) {
  std::vector<int> result;
  for (; set != 0; set &= set - 1) result.push_back(std::countr_zero(set));
  return result;
}

/// The best lane on exactly these processors.
struct LanePlan {
  double rate = 0;
  std::vector<Stage> stages;
};

class Partition {
 public:
  Partition(const Problem& problem, std::optional<double> limit) : problem_(problem), spans_(problem), limit_(limit) {}

  Placement run() {
    const std::uint32_t sets = 1U << problem_.processor_count();
    const Pipelines replicated = best_pipelines(problem_, true, limit_);
    lanes_.resize(sets);
    for (std::uint32_t set = 1; set < sets; ++set) lanes_[set] = {replicated.rate[set], replicated.stages[set]};
    for (int p = 0; p < problem_.processor_count(); ++p) {
      const double seconds = spans_.seconds(0, problem_.segments, p);
      if (seconds < kNever) lanes_[1U << p] = {1 / std::max(seconds, 1e-12), {{0, problem_.segments, 1U << p}}};
    }
    drop_slow_lanes();
    const std::vector<std::uint32_t> chosen = divide(lanes_);
    Placement result = placement(chosen);
    add_alternatives(result);
    return result;
  }

 private:
  static double seconds_under_load(double rate, std::uint32_t set) { return std::popcount(set) / rate; }

  void drop_slow_lanes() {
    if (!limit_) return;
    double fastest = kNever;
    for (std::uint32_t set = 1; set < lanes_.size(); ++set) {
      LanePlan& lane = lanes_[set];
      if (lane.rate <= 0) continue;
      fastest = std::min(fastest, seconds_under_load(lane.rate, set));
      if (seconds_under_load(lane.rate, set) > *limit_) lane = {};
    }
    if (fastest < kNever && fastest > *limit_)
      throw Error(ErrorCode::kInfeasible,
                  fmt::format("No placement answers within {:.3g} ms: the least is {:.3g} ms.", 1e3 * *limit_, 1e3 * fastest),
                  "--latency-limit", "Give a greater limit, or profile a faster processor.");
  }

  /// The lanes of greatest total rate: best(S) = max over lanes T within S of rate(T) + best(S - T).
  std::vector<std::uint32_t> divide(const std::vector<LanePlan>& lanes) const {
    std::vector<double> best(lanes.size(), 0);
    std::vector<std::uint32_t> lane_of(lanes.size(), 0);
    std::uint32_t top = 0;
    for (const std::uint32_t set : compatible_sets(problem_)) {
      for (std::uint32_t lane = set; lane != 0; lane = (lane - 1) & set) {
        const double total = lanes[lane].rate + best[set ^ lane];
        // Of equal ones the lane with fewer processors: replicas rather than a pipeline that gives no more.
        const bool equal = lanes[lane].rate > 0 && lane_of[set] != 0 && total >= best[set] * (1 - 1e-12) &&
                           std::popcount(lane) < std::popcount(lane_of[set]);
        if (lanes[lane].rate > 0 && (total > best[set] * (1 + 1e-12) || equal)) {
          best[set] = std::max(best[set], total);
          lane_of[set] = lane;
        }
      }
      if (best[set] > best[top] * (1 + 1e-12)) top = set;
    }
    std::vector<std::uint32_t> chosen;
    for (std::uint32_t set = top; set != 0 && lane_of[set] != 0; set ^= lane_of[set]) chosen.push_back(lane_of[set]);
    std::sort(chosen.begin(), chosen.end());
    return chosen;
  }

  Placement placement(const std::vector<std::uint32_t>& chosen) const {
    Placement result;
    result.task = TaskKind::kAsync;
    for (const std::uint32_t set : chosen) {
      Lane& lane = result.lanes.emplace_back(make_lane(lanes_[set], set));
      result.rate += lane.rate;
      result.seconds = std::max(result.seconds, lane.seconds);
    }
    result.strategy = name(result);
    return result;
  }

  Lane make_lane(const LanePlan& plan, std::uint32_t set) const {
    Lane lane;
    lane.rate = plan.rate;
    lane.in_flight = std::popcount(set);
    lane.seconds = seconds_under_load(plan.rate, set);
    for (const Stage& stage : plan.stages) {
      PlacedSubnet& subnet = lane.subnets.emplace_back();
      for (int i = stage.first; i < stage.end; ++i) subnet.segments.push_back(i);
      subnet.processors = members(stage.processors);
      for (const int p : subnet.processors) subnet.seconds.push_back(spans_.seconds(stage.first, stage.end, p));
    }
    // A pipeline needs work waiting before each stage to keep all of them busy while times vary.
    if (!limit_ && lane.subnets.size() > 1) lane.in_flight *= 2;
    return lane;
  }

  static std::string name(const Placement& placement) {
    const auto pipeline = [](const Lane& lane) { return lane.subnets.size() > 1; };
    const auto shared = [](const Lane& lane) {
      return std::any_of(lane.subnets.begin(), lane.subnets.end(), [](const auto& s) { return s.processors.size() > 1; });
    };
    const auto& lanes = placement.lanes;
    if (lanes.size() == 1) {
      if (!pipeline(lanes[0])) return "single processor";
      return shared(lanes[0]) ? "pipeline with replicas" : "pipeline";
    }
    return std::any_of(lanes.begin(), lanes.end(), pipeline) ? "several pipelines" : "replicas";
  }

  void add_alternatives(Placement& result) const {
    std::vector<LanePlan> alone(lanes_.size());
    double best_alone = 0;
    for (int p = 0; p < problem_.processor_count(); ++p) {
      alone[1U << p] = lanes_[1U << p];
      best_alone = std::max(best_alone, lanes_[1U << p].rate);
    }
    const auto add = [&](const char* strategy, double rate, double seconds) {
      if (rate > 0) result.alternatives.push_back({strategy, rate, seconds});
    };
    add("single processor", best_alone, best_alone > 0 ? 1 / best_alone : 0);
    double replicas = 0, slowest = 0;
    for (const std::uint32_t lane : divide(alone)) {
      replicas += alone[lane].rate;
      slowest = std::max(slowest, 1 / alone[lane].rate);
    }
    add("replicas", replicas, slowest);
    const Pipelines pipelines = best_pipelines(problem_, false);
    std::uint32_t best = 0;
    for (std::uint32_t set = 1; set < pipelines.rate.size(); ++set) {
      if (std::popcount(set) > 1 && pipelines.rate[set] > pipelines.rate[best]) best = set;
    }
    if (best != 0) add("pipeline", pipelines.rate[best], seconds_under_load(pipelines.rate[best], best));
  }

  const Problem& problem_;
  Spans spans_;
  std::optional<double> limit_;
  std::vector<LanePlan> lanes_;  // by set
};

/// Where no processors can serve contiguous stages, because each lacks segments in between: one lane in which a
/// processor serves several subnets.
Placement in_turn(const Problem& problem, std::optional<double> latency_limit) {
  Placement result = place_for_latency(problem, 0, latency_limit);
  result.task = TaskKind::kAsync;
  result.critical_path = result.work_bound = 0;
  Lane& lane = result.lanes.at(0);
  std::map<int, double> load;
  for (PlacedSubnet& subnet : lane.subnets) {
    subnet.start = 0;
    load[subnet.processors[0]] += subnet.seconds[0];
  }
  // Processors that share cores do not work at the same time: the stream is as slow as one request after the other.
  bool apart = true;
  double slowest = 0;
  for (const auto& [p, seconds] : load) {
    slowest = std::max(slowest, seconds);
    for (const auto& [q, other] : load) apart = apart && (p == q || !problem.exclude_each_other(p, q));
  }
  if (apart && !latency_limit) {
    lane.rate = 1 / slowest;
    lane.in_flight = 2 * static_cast<int>(load.size());
    lane.seconds = lane.in_flight / lane.rate;
  }
  result.rate = lane.rate;
  result.seconds = lane.seconds;
  return result;
}

}  // namespace

Placement place_for_throughput(const Problem& problem, std::optional<double> latency_limit) {
  validate(problem);
  Placement result = Partition(problem, latency_limit).run();
  return result.lanes.empty() ? in_turn(problem, latency_limit) : result;
}

}  // namespace mpq::placing
