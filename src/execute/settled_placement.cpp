#include <algorithm>
#include <future>
#include <optional>
#include <utility>
#include <vector>

#include "mpq/error.h"
#include "mpq/execution.h"

namespace mpq {
namespace {

constexpr std::size_t kMostTrials = 4;
constexpr int kCountedRequests = 12;

bool divides_the_network(const Placement& placement) {
  return std::any_of(placement.lanes.begin(), placement.lanes.end(),
                     [](const Lane& lane) { return lane.subnets.size() > 1; });
}

bool same_division(const Placement& a, const Placement& b) {
  const auto same_subnet = [](const PlacedSubnet& x, const PlacedSubnet& y) {
    return x.segments == y.segments && x.processors == y.processors;
  };
  return std::equal(a.lanes.begin(), a.lanes.end(), b.lanes.begin(), b.lanes.end(), [&](const Lane& x, const Lane& y) {
    return std::equal(x.subnets.begin(), x.subnets.end(), y.subnets.begin(), y.subnets.end(), same_subnet);
  });
}

bool is_better(const Placement& a, const Placement& b) {
  return a.task == TaskKind::kAsync ? a.rate > b.rate : a.seconds < b.seconds;
}

/// A few requests through a placement, those that fill the lanes not counted, nor those that fail.
std::vector<SubnetFigures> try_out(const Model& model, const Profile& profile, const Samples& samples,
                                   const Placement& placement, const ExecutorOptions& options, Observer& observer) {
  Executor executor(model, profile, placement, options);
  int filling = 1;
  for (const Lane& lane : placement.lanes) filling += lane.in_flight;
  const bool streams = placement.task == TaskKind::kAsync;
  std::vector<std::future<Feed>> open;
  for (int i = 0; i < filling + kCountedRequests; ++i) {
    if (observer.cancelled()) throw Error(ErrorCode::kInterrupted, "Interrupted; no output was written.");
    const Feed& feed = samples[static_cast<std::size_t>(i) % samples.size()];
    try {
      open.push_back(executor.submit(feed));
    } catch (const Error&) {
      continue;  // reported when its turn comes
    }
    if (!streams) open.back().wait();
  }
  for (std::future<Feed>& answer : open) answer.wait();
  std::vector<ExecutionEvent> events = executor.events();
  std::erase_if(events, [&](const ExecutionEvent& event) { return event.request < filling; });
  return subnet_figures(events, placement);
}

/// Nothing where what was learned leaves no placement within the latency limit.
std::optional<Placement> place_again(const Profile& profile, const PlaceOptions& options) {
  try {
    return place(profile, options);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInfeasible) throw;
    return std::nullopt;
  }
}

}  // namespace

SettledPlacement settle_placement(const Model& model, const Profile& profile, const Samples& samples,
                                  const RunTaskOptions& options, Observer& observer) {
  if (samples.size() == 0) throw Error(ErrorCode::kUsage, "There are no samples to run.", "--inputs");
  PlaceOptions place_options = options.place;
  if (place_options.task == TaskKind::kSync) place_options.batch_rows = divisible_rows(model, samples[0]);
  const std::string& precision = place_options.precision;
  ExecutorOptions executor_options = options.executor;
  executor_options.trace = true;
  executor_options.precision = precision;
  executor_options.faults.clear();  // they are counted from the run itself on

  SettledPlacement result{place(profile, place_options), profile};
  Profile known = profile;
  std::optional<Placement> next = result.placement;
  std::vector<Placement> tried;
  const auto was_tried = [&](const Placement& placement) {
    return std::any_of(tried.begin(), tried.end(), [&](const Placement& one) { return same_division(one, placement); });
  };
  while (next && divides_the_network(*next) && tried.size() < kMostTrials && !was_tried(*next)) {
    observer.progress("place", static_cast<double>(tried.size()), kMostTrials, "trying " + next->strategy);
    const auto figures = try_out(model, known, samples, *next, executor_options, observer);
    known = learned(known, *next, figures, precision);
    const Placement measured = priced(known, *next, precision);
    if (tried.empty() || is_better(measured, result.placement)) {
      result.placement = measured;
      result.profile = known;
    }
    tried.push_back(measured);
    next = place_again(known, place_options);
  }
  result.trials = static_cast<int>(tried.size());
  if (next && !divides_the_network(*next) && !tried.empty() && is_better(*next, result.placement)) {
    result.placement = *next;
    result.profile = known;
  }
  return result;
}

}  // namespace mpq
