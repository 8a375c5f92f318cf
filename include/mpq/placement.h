#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mpq/profile.h"

namespace mpq {

/// Whether the caller waits for one answer (synchronous: latency counts) or streams requests (asynchronous: throughput).
enum class TaskKind : std::uint8_t { kSync, kAsync };
const char* to_string(TaskKind kind);

/// Some segments of the network in one session, on one processor or on several that take turns.
struct PlacedSubnet {
  std::vector<int> segments;    ///< rising indices into Profile::segments
  std::vector<int> processors;  ///< indices into Profile::processors; several are replicas of one pipeline stage
  std::vector<double> seconds;  ///< predicted, per processor: computing, hand-over and the session's own overhead
  double start = 0;             ///< synchronous: planned start in seconds after the request came
};

/// The whole network once: subnets in topological order. Each request goes through one lane; a synchronous request
/// split over the batch goes through all of them.
struct Lane {
  std::vector<PlacedSubnet> subnets;
  double rate = 0;        ///< predicted requests per second of this lane when it is kept busy
  double seconds = 0;     ///< predicted seconds of one request under load
  int in_flight = 1;      ///< requests inside the lane at the same time, at most
  std::int64_t rows = 0;  ///< rows of the batch it gets, when the batch is split; else 0
};

/// Another way that was weighed: "replicas", 52 requests per second.
struct PlacementAlternative {
  std::string strategy;
  double rate = 0;     ///< requests per second
  double seconds = 0;  ///< of one request
};

/// Which part of the network runs where, and what that should give.
struct Placement {
  TaskKind task = TaskKind::kAsync;
  /// "single processor" | "replicas" | "pipeline" | "pipeline with replicas" | "several pipelines" |
  /// "processors in turn" | "parallel branches" | "batch split"
  std::string strategy;
  std::vector<Lane> lanes;
  double rate = 0;           ///< predicted requests per second
  double seconds = 0;        ///< predicted seconds of one request (asynchronous: the slowest lane under load)
  double critical_path = 0;  ///< seconds; 0 when the batch can be split, which divides every segment
  double work_bound = 0;     ///< seconds: no schedule is faster, because the work has to be done by these processors
  std::vector<PlacementAlternative> alternatives;

  /// max(critical path, work): no placement answers one request sooner.
  double lower_bound() const { return critical_path > work_bound ? critical_path : work_bound; }
};

struct PlaceOptions {
  TaskKind task = TaskKind::kAsync;
  std::string precision;  ///< of the profile; empty: that of the model as it stands (Profile::base_precision)
  /// Seconds one request may take. Asynchronous: under load, by Little's law (requests in flight / rate).
  std::optional<double> latency_limit;
  /// Rows of a synchronous request's batch that may be divided among processors; 0 or 1 when it must stay whole.
  std::int64_t batch_rows = 0;
};

/// Places the profiled network on the profile's processors: exactly the best of all contiguous pipelines, replicas and
/// mixtures for an asynchronous task, list scheduling and what else place_for_latency lists for a synchronous one.
/// Throws Error{kInvalidInput} when the profile holds no times at this precision for some segment, and
/// Error{kInfeasible} when no placement meets the latency limit.
Placement place(const Profile& profile, const PlaceOptions& options = {});

/// The same lanes, subnets and processors with the figures that the profile predicts for them: seconds of every subnet,
/// starts (synchronous), rates and seconds of lanes and of the whole. For placements that somebody else made.
Placement priced(const Profile& profile, Placement placement, const std::string& precision = {});

struct Simulation {
  double rate = 0;          ///< requests per second, filling and emptying included
  double mean_seconds = 0;  ///< of a request from its admission to its last subnet
  double most_seconds = 0;
};

/// What an asynchronous placement does with a stream of requests that never runs dry, step by step: the executor's
/// rules on the predicted times, each varied by a normal factor of relative deviation `noise`.
Simulation simulate(const Placement& placement, int requests, double noise = 0, std::uint64_t seed = 1);

}  // namespace mpq
