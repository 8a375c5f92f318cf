#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/shared_value.h"

namespace mpq::executing {

using Value = runtime::SharedValue;

/// One part of the network on one processor.
class Subnet {
 public:
  virtual ~Subnet() = default;
  /// Throws ProcessorLost when the processor is gone, anything else when this run failed.
  virtual std::vector<Value> run(const std::vector<Value>& inputs) = 0;
};

class ProcessorLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A processor with its thread: one run at a time.
struct EngineProcessor {
  std::string name;
  std::uint64_t resources = 0;  ///< processors that share a bit never run at the same time
  std::vector<int> cores;       ///< its thread is pinned to them
};

/// A subnet of a lane: what it reads and writes, who serves it and who could.
struct EngineTask {
  std::vector<int> inputs, outputs;  ///< values of the request, by number
  std::vector<int> processors;       ///< those that take turns
  std::vector<double> seconds;       ///< by processor of the engine: expected, infinite where it cannot run
  double start = 0;                  ///< planned; of several that are ready the one with the earliest start goes first
};

/// The whole network once; the tasks in topological order.
struct EngineLane {
  std::vector<EngineTask> tasks;
  double rate = 1;    ///< expected requests per second: new requests go where they should be answered first
  int in_flight = 1;  ///< requests inside at the same time, at most
};

struct EnginePlan {
  std::vector<EngineProcessor> processors;
  std::vector<EngineLane> lanes;
  int values = 0;            ///< numbers below it name the values of a request
  std::vector<int> results;  ///< those the caller gets
};

/// Makes a lane's task runnable on a processor; called in the processor's own thread. Throws when that is impossible.
using SubnetFactory = std::function<std::unique_ptr<Subnet>(int lane, int task, int processor)>;

struct EngineOptions {
  std::size_t queue = 64;    ///< requests that wait for a lane, at most; submit() waits for room
  double stall_seconds = 0;  ///< a run that takes longer means the processor is lost; 0: 10 s and 100 expected times
  bool trace = false;        ///< keep every run's times
};

/// One run of a task.
struct EngineEvent {
  std::int64_t request = 0;
  int lane = 0, task = 0, processor = 0;
  double start = 0, end = 0;  ///< seconds since the engine was made
  double entered = 0;         ///< when the request entered its first lane
};

struct EngineHealth {
  std::string lost;  ///< why the processor is no longer used; empty while it is
  std::int64_t runs = 0;
  double busy_seconds = 0;
};

/// Runs requests through lanes of subnets, one thread a processor.
///
/// A lane holds a bounded number of requests (CONWIP: Spearman, Woodruff, Hopp 1990), so no queue inside it can grow
/// beyond that, and submit() waits while too many wait outside. Results are delivered in the order of submission.
///
/// A run that fails is tried once more on another processor. Fails it there too, the request fails alone; otherwise the
/// processor failed, and with the third such failure in a row it is lost, as it is when it says so itself or when a run
/// does not return in time. What a lost processor served moves to another one, its unfinished request included; what
/// it may yet return is dropped. Requests fail only when no processor is left.
class Engine {
 public:
  /// Called once per request, in order: the results, or why there are none. Must neither throw nor call the engine.
  using Done = std::function<void(std::vector<Value> results, std::exception_ptr failure)>;

  /// Makes all subnets and throws the first failure to do so.
  Engine(EnginePlan plan, SubnetFactory factory, const EngineOptions& options = {});
  /// Waits for all requests, and for lost processors no longer than a second: the thread of one that does not return
  /// is left to itself, with all that it needs.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// `values` by number, empty where a task computes them. `lane` forces one (for requests divided over all lanes).
  void submit(std::vector<Value> values, Done done, int lane = -1);

  /// Until all requests are delivered.
  void wait();

  std::vector<EngineHealth> health() const;
  std::vector<EngineEvent> events() const;

  struct State;

 private:
  std::shared_ptr<State> state_;  // kept by the thread of a processor that does not return
};

}  // namespace mpq::executing
