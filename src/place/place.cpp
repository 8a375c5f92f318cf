#include <algorithm>
#include <limits>

#include "mpq/error.h"
#include "mpq/placement.h"

#include "place/bounds.h"
#include "place/latency.h"
#include "place/profile_problem.h"
#include "place/schedule.h"
#include "place/throughput.h"

namespace mpq {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

const std::string& precision_of(const Profile& profile, const std::string& asked) {
  return asked.empty() ? profile.base_precision : asked;
}

/// The tasks of a lane, each on its `choice`-th processor, by their number in the problem.
placing::Schedule schedule_of(const placing::ProfileProblem& known, const Lane& lane, std::size_t choice) {
  placing::Schedule schedule;
  for (const PlacedSubnet& subnet : lane.subnets) {
    if (subnet.processors.empty())
      throw Error(ErrorCode::kInvalidInput, "A subnet has no processor.", "the placement");
    const int processor = subnet.processors[std::min(choice, subnet.processors.size() - 1)];
    const auto found = std::find(known.processors.begin(), known.processors.end(), processor);
    if (found == known.processors.end())
      throw Error(ErrorCode::kInvalidInput, "A subnet is on a processor that was not measured at this precision.", "the placement");
    schedule.tasks.push_back({subnet.segments, static_cast<int>(found - known.processors.begin())});
  }
  return schedule;
}

void price(const placing::ProfileProblem& known, TaskKind task, Lane& lane) {
  std::size_t choices = 1;
  for (PlacedSubnet& subnet : lane.subnets) {
    choices = std::max(choices, subnet.processors.size());
    subnet.seconds.assign(subnet.processors.size(), 0);
  }
  for (std::size_t choice = 0; choice < choices; ++choice) {
    placing::Schedule schedule = schedule_of(known, lane, choice);
    placing::settle(known.problem, schedule);
    for (std::size_t t = 0; t < lane.subnets.size(); ++t) {
      PlacedSubnet& subnet = lane.subnets[t];
      if (choice < subnet.seconds.size()) subnet.seconds[choice] = schedule.tasks[t].seconds;
      subnet.start = task == TaskKind::kSync ? schedule.tasks[t].start : 0;
    }
    if (choice == 0) lane.seconds = schedule.seconds;
  }
  lane.rate = 1 / lane.seconds;
  if (task == TaskKind::kSync) return;
  // A processor that serves several subnets has to do them all for every request.
  std::vector<double> load(known.problem.processors.size(), 0);
  lane.rate = std::numeric_limits<double>::infinity();
  for (const PlacedSubnet& subnet : lane.subnets) {
    double rate = 0;
    for (std::size_t i = 0; i < subnet.processors.size(); ++i) {
      rate += 1 / subnet.seconds[i];
      const auto found = std::find(known.processors.begin(), known.processors.end(), subnet.processors[i]);
      load[static_cast<std::size_t>(found - known.processors.begin())] += subnet.seconds[i] / static_cast<double>(subnet.processors.size());
    }
    lane.rate = std::min(lane.rate, rate);
  }
  for (const double seconds : load) {
    if (seconds > 0) lane.rate = std::min(lane.rate, 1 / seconds);
  }
  lane.seconds = lane.in_flight / lane.rate;
}

}  // namespace

const char* to_string(TaskKind kind) { return kind == TaskKind::kSync ? "sync" : "async"; }

Placement place(const Profile& profile, const PlaceOptions& options) {
  const placing::ProfileProblem known = placing::problem_of(profile, precision_of(profile, options.precision));
  Placement result = options.task == TaskKind::kAsync
                         ? placing::place_for_throughput(known.problem, options.latency_limit)
                         : placing::place_for_latency(known.problem, options.batch_rows, options.latency_limit);
  for (Lane& lane : result.lanes) {
    for (PlacedSubnet& subnet : lane.subnets) {
      for (int& processor : subnet.processors) processor = known.processors[at(processor)];
    }
  }
  return result;
}

Placement priced(const Profile& profile, Placement placement, const std::string& precision) {
  const placing::ProfileProblem known = placing::problem_of(profile, precision_of(profile, precision));
  placement.rate = placement.seconds = 0;
  for (Lane& lane : placement.lanes) {
    price(known, placement.task, lane);
    placement.rate += lane.rate;
    placement.seconds = std::max(placement.seconds, lane.seconds);
  }
  if (placement.task == TaskKind::kSync) {
    placement.rate = 1 / placement.seconds;
    placement.critical_path = placing::critical_path(known.problem);
    placement.work_bound = placing::work_bound(known.problem);
  }
  return placement;
}

}  // namespace mpq
