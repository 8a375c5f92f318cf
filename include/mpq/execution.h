#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mpq/executor.h"
#include "mpq/observer.h"
#include "mpq/placement.h"
#include "mpq/report.h"
#include "mpq/samples.h"

namespace mpq {

struct RunTaskOptions {
  PlaceOptions place;  ///< batch_rows is found from the samples
  int requests = 0;    ///< samples in turn; 0: each once
  int warm_up = 3;     ///< requests before those that count
  ExecutorOptions executor;
};

/// One subnet of the placement on one of its processors, as predicted and as it ran.
struct SubnetFigures {
  int lane = 0, subnet = 0, processor = 0;
  std::int64_t runs = 0;
  double predicted_seconds = 0, measured_seconds = 0;  ///< median
};

/// What each subnet took on each processor that ran it, beside what the placement promises (0 for one that took over).
std::vector<SubnetFigures> subnet_figures(const std::vector<ExecutionEvent>& events, const Placement& placement);

/// The profile with the times of segments scaled so that it promises for each subnet what this one was measured to take
/// (`figures`, of a run of `placement`): a stage may be slower than its segments were one by one, since its weights
/// compete for the caches. What the next placement starts from.
Profile learned(const Profile& profile, const Placement& placement, const std::vector<SubnetFigures>& figures,
                const std::string& precision = {});

/// A placement, the profile that predicts its times, and how many divisions of the network were run to find it.
struct SettledPlacement {
  Placement placement;
  Profile profile;
  int trials = 0;
};

/// Places the network as `options.place` says. A placement that divides it runs a few requests, and the network is
/// placed again by what was learned: until a placement finds itself, four at most. The best of those that ran is kept,
/// or one that divides nothing where that promises more. Throws as place() and Executor, and Error{kInterrupted}.
SettledPlacement settle_placement(const Model& model, const Profile& profile, const Samples& samples,
                                  const RunTaskOptions& options, Observer& observer = silent_observer());

/// What `mpq run` did: the placement, what it promised and what came of it.
struct ExecutionRecord {
  static constexpr int kSchemaVersion = 1;
  std::string mpq_version;
  ModelFacts model;
  DataFacts data;
  std::string precision;
  std::vector<std::string> processors;  ///< names, by their position in the profile
  std::vector<std::string> segments;    ///< names, by their position in the profile
  Placement placement;                  ///< with the times that were learned from trials, where there were some
  int trials = 0;                       ///< placements that ran a few requests before this one was kept
  std::optional<double> latency_limit;  ///< seconds
  int requests = 0, failed = 0;
  std::string failure;                                           ///< of the first request that failed
  double seconds = 0;                                            ///< wall, all requests
  double rate = 0;                                               ///< requests per second
  double median_seconds = 0, p90_seconds = 0, most_seconds = 0;  ///< of one request
  std::vector<SubnetFigures> subnets;
  std::vector<ExecutionEvent> timeline;  ///< of a few requests in the middle of the run
  std::vector<ProcessorHealth> health;   ///< parallel to `processors`
};

struct ExecutionResult {
  ExecutionRecord record;
  std::vector<Feed> outputs;  ///< by request; empty for one that failed
};

/// Places the network, runs the requests and measures. A placement that divides the network is tried with a few
/// requests first and improved by what its subnets took. Throws as place() and Executor, and Error{kInterrupted}.
ExecutionResult run_task(const Model& model, const Profile& profile, const Samples& samples,
                         const RunTaskOptions& options, Observer& observer = silent_observer());

std::string to_json(const ExecutionRecord& record);
/// "table" (with the timeline where `explain`), "json" or "html". Throws Error{kUsage} for another format.
std::string render(const ExecutionRecord& record, const ReportOptions& options, bool explain = true);
/// The same into a file, atomically. Throws Error{kOutput}, also when `path` exists and `force` is false.
void write_report(const std::string& path, const ExecutionRecord& record, const ReportOptions& options, bool force);

}  // namespace mpq
