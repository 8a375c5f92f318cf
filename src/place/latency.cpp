#include "place/latency.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include <fmt/format.h>

#include "mpq/error.h"

#include "place/blocks.h"
#include "place/bounds.h"
#include "place/schedule.h"

namespace mpq::placing {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

std::string name(const Schedule& schedule) {
  if (schedule.tasks.size() == 1) return "single processor";
  std::vector<Task> tasks = schedule.tasks;
  std::sort(tasks.begin(), tasks.end(), [](const Task& a, const Task& b) { return a.start < b.start; });
  double end = 0;
  for (const Task& task : tasks) {
    if (task.start < end * (1 - 1e-9)) return "parallel branches";
    end = std::max(end, task.start + task.seconds);
  }
  return "processors in turn";
}

Schedule whole_on(const Problem& problem, int processor) {
  Schedule schedule;
  Task& task = schedule.tasks.emplace_back();
  task.processor = processor;
  task.segments.resize(at(problem.segments));
  std::iota(task.segments.begin(), task.segments.end(), 0);
  return schedule;
}

class LatencySearch {
 public:
  LatencySearch(const Problem& problem, std::int64_t rows) : problem_(problem), rows_(rows) {}

  Placement run() {
    for (int p = 0; p < problem_.processor_count(); ++p) {
      Schedule alone = whole_on(problem_, p);
      settle(problem_, alone);
      whole_.push_back(alone.seconds);
      consider(std::move(alone));
    }
    consider_joined(schedule_blocks(problem_));
    for (const std::uint32_t set : largest_compatible_sets(problem_)) {
      if (!std::has_single_bit(set)) consider_joined({list_schedule(problem_, 0, problem_.segments, set), 0});
      if (!std::has_single_bit(set) && rows_ > 1) consider_split(set);
    }
    Placement result = std::move(best_);
    result.task = TaskKind::kSync;
    result.critical_path = rows_ > 1 ? 0 : critical_path(problem_);
    result.work_bound = work_bound(problem_);
    result.alternatives = std::move(alternatives_);
    return result;
  }

 private:
  void consider_joined(Schedule schedule) {
    if (schedule.tasks.empty()) return;
    join_tasks(problem_, schedule);
    consider(std::move(schedule));
  }

  void consider(Schedule schedule) {
    if (schedule.seconds == kNever) return;
    Placement placement;
    placement.strategy = name(schedule);
    Lane& lane = placement.lanes.emplace_back();
    for (Task& task : schedule.tasks)
      lane.subnets.push_back({std::move(task.segments), {task.processor}, {task.seconds}, task.start});
    lane.seconds = schedule.seconds;
    lane.rate = 1 / schedule.seconds;
    keep(std::move(placement));
  }

  /// Rows one by one to the processor that is ready first: no division is better, since more rows never take less time.
  void consider_split(std::uint32_t set) {
    const auto seconds_of = [&](int p, std::int64_t rows) {
      const double overhead = std::min(problem_.processors[at(p)].run_overhead, whole_[at(p)]);
      return overhead + (whole_[at(p)] - overhead) * static_cast<double>(rows) / static_cast<double>(rows_);
    };
    std::vector<std::int64_t> share(problem_.processors.size(), 0);
    for (std::int64_t row = 0; row < rows_; ++row) {
      int next = -1;
      for (int p = 0; p < problem_.processor_count(); ++p) {
        if ((set >> p & 1U) == 0 || whole_[at(p)] == kNever) continue;
        if (next < 0 || seconds_of(p, share[at(p)] + 1) < seconds_of(next, share[at(next)] + 1)) next = p;
      }
      if (next < 0) return;
      ++share[at(next)];
    }
    Placement placement;
    placement.strategy = "batch split";
    for (int p = 0; p < problem_.processor_count(); ++p) {
      if (share[at(p)] == 0) continue;
      Lane& lane = placement.lanes.emplace_back();
      lane.rows = share[at(p)];
      lane.seconds = seconds_of(p, lane.rows);
      lane.rate = 1 / lane.seconds;
      lane.subnets.push_back({whole_on(problem_, p).tasks[0].segments, {p}, {lane.seconds}, 0});
    }
    if (placement.lanes.size() > 1) keep(std::move(placement));
  }

  void keep(Placement placement) {
    for (const Lane& lane : placement.lanes) placement.seconds = std::max(placement.seconds, lane.seconds);
    placement.rate = 1 / placement.seconds;
    const auto known = std::find_if(alternatives_.begin(), alternatives_.end(),
                                    [&](const auto& other) { return other.strategy == placement.strategy; });
    const PlacementAlternative self{placement.strategy, placement.rate, placement.seconds};
    if (known == alternatives_.end()) {
      alternatives_.push_back(self);
    } else if (self.seconds < known->seconds) {
      *known = self;
    }
    // Simpler ones come first: another has to be faster, not merely as fast.
    if (best_.lanes.empty() || placement.seconds < best_.seconds * (1 - 1e-9)) best_ = std::move(placement);
  }

  const Problem& problem_;
  std::int64_t rows_;
  std::vector<double> whole_;  // by processor
  Placement best_;
  std::vector<PlacementAlternative> alternatives_;
};

}  // namespace

Placement place_for_latency(const Problem& problem, std::int64_t batch_rows, std::optional<double> latency_limit) {
  validate(problem);
  Placement result = LatencySearch(problem, batch_rows).run();
  if (result.lanes.empty())
    throw Error(ErrorCode::kInfeasible, "No processor has the memory for the network, and neither have several.", "the profile");
  if (latency_limit && result.seconds > *latency_limit)
    throw Error(ErrorCode::kInfeasible,
                fmt::format("No placement answers within {:.3g} ms: the least is {:.3g} ms, and no placement on these "
                            "processors can be faster than {:.3g} ms.",
                            1e3 * *latency_limit, 1e3 * result.seconds, 1e3 * result.lower_bound()),
                "--latency-limit", "Give a greater limit, or profile a faster processor.");
  return result;
}

}  // namespace mpq::placing
