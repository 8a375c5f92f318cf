#include <algorithm>
#include <chrono>
#include <deque>
#include <map>

#include "mpq/error.h"
#include "mpq/execution.h"
#include "mpq/version.h"

#include "support/statistics.h"

namespace mpq {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

class TaskRun {
 public:
  TaskRun(Executor& executor, const Samples& samples, const RunTaskOptions& options, Observer& observer)
      : executor_(executor), samples_(samples), options_(options), observer_(observer) {}

  void run(ExecutionResult& result) {
    const int count = options_.requests > 0 ? options_.requests : static_cast<int>(samples_.size());
    for (int i = 0; i < options_.warm_up; ++i) {
      try {
        executor_.run(feed(i));
      } catch (const Error&) {
        // A bad sample is counted when its turn comes.
      }
    }
    result.outputs.resize(static_cast<std::size_t>(count));
    result.record.requests = count;
    const Clock::time_point start = Clock::now();
    if (options_.place.task == TaskKind::kSync) {
      wait_for_each(result, count);
    } else {
      stream(result, count);
    }
    result.record.seconds = seconds_since(start);
    result.record.rate = (count - result.record.failed) / result.record.seconds;
  }

  std::vector<double> latencies;  ///< synchronous, as the caller sees them

 private:
  const Feed& feed(int i) const { return samples_[static_cast<std::size_t>(i) % samples_.size()]; }

  void note_failure(ExecutionResult& result, const std::exception& failure) {
    if (++result.record.failed == 1) result.record.failure = failure.what();
  }

  void check_interrupt(int done, int count) {
    observer_.progress("run", done, count, "requests");
    if (observer_.cancelled()) throw Error(ErrorCode::kInterrupted, "Interrupted; no output was written.");
  }

  void wait_for_each(ExecutionResult& result, int count) {
    for (int i = 0; i < count; ++i) {
      check_interrupt(i, count);
      const Clock::time_point start = Clock::now();
      try {
        result.outputs[static_cast<std::size_t>(i)] = executor_.run(feed(i));
        latencies.push_back(seconds_since(start));
      } catch (const std::exception& failure) {
        note_failure(result, failure);
      }
    }
  }

  void stream(ExecutionResult& result, int count) {
    std::deque<std::pair<int, std::future<Feed>>> open;
    const auto collect = [&] {
      try {
        result.outputs[static_cast<std::size_t>(open.front().first)] = open.front().second.get();
      } catch (const std::exception& failure) {
        note_failure(result, failure);
      }
      open.pop_front();
    };
    for (int i = 0; i < count; ++i) {
      check_interrupt(i, count);
      open.emplace_back(i, executor_.submit(feed(i)));
      while (!open.empty() && open.front().second.wait_for(std::chrono::seconds(0)) == std::future_status::ready)
        collect();
    }
    while (!open.empty()) collect();
  }

  Executor& executor_;
  const Samples& samples_;
  const RunTaskOptions& options_;
  Observer& observer_;
};

/// How long each request of a stream was in its lane.
std::vector<double> latencies_of(const std::vector<ExecutionEvent>& events) {
  std::map<std::int64_t, std::pair<double, double>> spans;
  for (const ExecutionEvent& event : events) {
    const auto [known, is_new] = spans.try_emplace(event.request, event.entered, event.end);
    known->second.second = std::max(known->second.second, event.end);
  }
  std::vector<double> latencies;
  for (const auto& [request, span] : spans) latencies.push_back(span.second - span.first);
  return latencies;
}

/// A few requests in the middle: enough to see how the processors work together.
std::vector<ExecutionEvent> middle(const std::vector<ExecutionEvent>& events, const Placement& placement,
                                   std::int64_t first, int requests) {
  // Synchronous: one, which is one per lane where the batch is divided.
  auto shown = static_cast<std::int64_t>(placement.lanes.size());
  if (placement.task == TaskKind::kAsync) {
    shown = 4;
    for (const Lane& lane : placement.lanes) shown += 2 * lane.in_flight;
  }
  const std::int64_t begin = first + std::max<std::int64_t>(0, (requests - shown) / 2);
  std::vector<ExecutionEvent> result;
  for (const ExecutionEvent& event : events) {
    if (event.request >= begin && event.request < begin + shown) result.push_back(event);
  }
  return result;
}

}  // namespace

ExecutionResult run_task(const Model& model, const Profile& profile, const Samples& samples,
                         const RunTaskOptions& options, Observer& observer) {
  require_matches(profile, model);
  ExecutionResult result;
  ExecutionRecord& record = result.record;
  record.mpq_version = version();
  record.model = model.facts();
  record.data = samples.facts();
  record.precision = options.place.precision.empty() ? profile.base_precision : options.place.precision;
  for (const Processor& processor : profile.processors) record.processors.push_back(processor.name);
  for (const Segment& segment : profile.segments) record.segments.push_back(segment.name);
  record.latency_limit = options.place.latency_limit;
  SettledPlacement settled = settle_placement(model, profile, samples, options, observer);
  record.placement = std::move(settled.placement);
  record.trials = settled.trials;
  ExecutorOptions executor_options = options.executor;
  executor_options.trace = true;
  executor_options.precision = record.precision;
  Executor executor(model, settled.profile, record.placement, executor_options);

  TaskRun run(executor, samples, options, observer);
  run.run(result);
  record.health = executor.health();
  std::vector<ExecutionEvent> events = executor.events();
  std::int64_t first = options.warm_up;
  if (record.placement.strategy == "batch split") first *= static_cast<std::int64_t>(record.placement.lanes.size());
  std::erase_if(events, [&](const ExecutionEvent& event) { return event.request < first; });
  record.subnets = subnet_figures(events, record.placement);
  if (run.latencies.empty()) run.latencies = latencies_of(events);
  if (!run.latencies.empty()) {
    record.median_seconds = quantile(run.latencies, 0.5);
    record.p90_seconds = quantile(run.latencies, 0.9);
    record.most_seconds = *std::max_element(run.latencies.begin(), run.latencies.end());
  }
  record.timeline = middle(events, record.placement, first, record.requests);
  return result;
}

}  // namespace mpq
