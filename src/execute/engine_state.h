#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "execute/engine.h"

namespace mpq::executing {

using Clock = std::chrono::steady_clock;

struct Request {
  std::int64_t number = 0;
  int lane = -1, forced_lane = -1;
  Clock::time_point entered = {};  // its first lane
  std::vector<Value> inputs;       // as submitted, to start again in another lane
  std::vector<Value> values;
  std::vector<int> uses;       // by value: tasks that have yet to read it, and the caller
  std::vector<int> missing;    // by task: inputs that are not there yet
  std::size_t unfinished = 0;  // tasks
  Engine::Done done;
  std::vector<Value> results;
  std::exception_ptr failure;
  bool finished = false;
};
using RequestPtr = std::shared_ptr<Request>;

/// A task of a request that can run.
struct Work {
  RequestPtr request;
  int lane = 0, task = 0;
  std::set<int> failed_on;     // processors
  std::exception_ptr failure;  // the first one
};

struct Worker {
  std::thread thread;
  std::condition_variable wake;
  bool lost = false, gone = false;  // gone: its thread has ended
  std::string reason;
  std::optional<Work> work;  // being run
  std::uint64_t ticket = 0;  // of that run; a late return finds another one
  Clock::time_point since;
  bool timed = false;  // the subnet is made and `since` counts
  int failures = 0;    // in a row
  std::int64_t runs = 0;
  double busy_seconds = 0;
};

/// Everything that threads share; all members behind `mutex` but those that never change.
struct Engine::State : std::enable_shared_from_this<Engine::State> {
  State(EnginePlan plan, SubnetFactory factory, const EngineOptions& options);

  // engine_state.cpp: requests through lanes
  void admit();
  void enter(const RequestPtr& request, int lane);
  void make_ready(Work work);
  void finish_task(const Work& work, std::vector<Value> outputs);
  void finish(const RequestPtr& request, std::exception_ptr failure);
  void deliver(std::unique_lock<std::mutex>& lock);
  void leave(const RequestPtr& request);

  // engine_failures.cpp: what to do when a run fails or a processor is lost
  void fail_run(int processor, Work work, std::exception_ptr failure);
  void cannot_make(int processor, Work work, std::exception_ptr failure);
  void lose(int processor, const std::string& reason);
  void settle_without(int processor, int lane, int task);
  int substitute(int lane, int task, const std::set<int>& except) const;
  void close_lane(int lane);
  void fail_what_nobody_runs();
  std::exception_ptr nobody_left() const;
  void watch();
  double stall_limit(const Work& work, int processor) const;

  // engine_worker.cpp: a processor's thread
  void work(int processor);
  bool take(int processor, Work& work);
  bool may_run(int processor, const Work& work) const;
  void run(int processor, Work work, std::unique_lock<std::mutex>& lock);

  EngineTask& task_of(const Work& work) {
    return plan.lanes[static_cast<std::size_t>(work.lane)].tasks[static_cast<std::size_t>(work.task)];
  }
  /// Whether the request still waits for this: it may have failed, or started again in another lane.
  static bool is_wanted(const Work& work) { return !work.request->finished && work.request->lane == work.lane; }
  Worker& worker(int processor) { return *workers[static_cast<std::size_t>(processor)]; }
  const Worker& worker(int processor) const { return *workers[static_cast<std::size_t>(processor)]; }

  EnginePlan plan;  // a task's processors change when one is lost
  const SubnetFactory factory;
  const EngineOptions options;
  const Clock::time_point born = Clock::now();

  mutable std::mutex mutex;
  std::condition_variable room, settled, watchdog;
  bool stopping = false, delivering = false;
  std::deque<RequestPtr> pending;      // wait for a lane
  std::deque<RequestPtr> undelivered;  // in the order of submission
  std::int64_t submitted = 0;
  std::vector<int> inside;               // by lane
  std::vector<bool> closed;              // by lane
  std::vector<std::vector<Work>> ready;  // by lane
  std::uint64_t busy_resources = 0;
  std::vector<std::unique_ptr<Worker>> workers;
  std::thread watcher;
  std::map<std::tuple<int, int, int>, std::shared_ptr<Subnet>> subnets;  // by lane, task and processor
  std::set<std::tuple<int, int, int>> impossible;
  std::vector<EngineEvent> events;
};

}  // namespace mpq::executing
