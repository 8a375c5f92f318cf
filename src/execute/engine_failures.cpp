#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "mpq/error.h"

#include "execute/engine_state.h"

namespace mpq::executing {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

std::string words_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "It failed without a reason.";
  }
}

bool says_lost(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const ProcessorLost&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

void Engine::State::fail_run(int processor, Work work, std::exception_ptr failure) {
  if (says_lost(failure)) {
    lose(processor, words_of(failure));
    if (is_wanted(work)) make_ready(std::move(work));
    fail_what_nobody_runs();
    return;
  }
  if (!is_wanted(work)) return;
  const bool again = !work.failed_on.empty();
  if (!again) work.failure = failure;
  work.failed_on.insert(processor);
  const int other = again ? -1 : substitute(work.lane, work.task, work.failed_on);
  if (other < 0) {
    finish(work.request, work.failure);
    return;
  }
  make_ready(std::move(work));
  for (const auto& any : workers) any->wake.notify_one();
}

/// The session cannot be made here: the task goes to the next processor that can.
void Engine::State::cannot_make(int processor, Work work, std::exception_ptr failure) {
  impossible.insert({work.lane, work.task, processor});
  if (!is_wanted(work)) return;
  if (!work.failed_on.empty()) {
    finish(work.request, work.failure);
    return;
  }
  worker(processor).reason = "It cannot take over: " + words_of(failure);
  settle_without(processor, work.lane, work.task);
  if (is_wanted(work)) make_ready(std::move(work));
}

/// Of the processors that could serve the task the one that would be done with it first, all it serves counted.
int Engine::State::substitute(int lane, int task, const std::set<int>& except) const {
  int best = -1;
  double least = 0;
  for (int p = 0; p < static_cast<int>(workers.size()); ++p) {
    double load = plan.lanes[at(lane)].tasks[at(task)].seconds[at(p)];
    const bool fits = !worker(p).lost && std::isfinite(load) && except.count(p) == 0 &&
                      impossible.count({lane, task, p}) == 0;
    if (!fits) continue;
    for (const EngineLane& other : plan.lanes) {
      for (const EngineTask& served : other.tasks) {
        const auto& servers = served.processors;
        if (std::find(servers.begin(), servers.end(), p) == servers.end()) continue;
        load += served.seconds[at(p)] / static_cast<double>(servers.size());
      }
    }
    if (best >= 0 && load >= least) continue;
    best = p;
    least = load;
  }
  return best;
}

void Engine::State::lose(int processor, const std::string& reason) {
  Worker& gone = worker(processor);
  if (gone.lost) return;
  gone.lost = true;
  gone.reason = reason;
  gone.wake.notify_all();
  for (int lane = 0; lane < static_cast<int>(plan.lanes.size()); ++lane) {
    for (int task = 0; task < static_cast<int>(plan.lanes[at(lane)].tasks.size()); ++task)
      settle_without(processor, lane, task);
  }
  fail_what_nobody_runs();
}

/// Takes the processor out of the task's servers and finds another where it was the last.
void Engine::State::settle_without(int processor, int lane, int task) {
  if (closed[at(lane)]) return;
  auto& servers = plan.lanes[at(lane)].tasks[at(task)].processors;
  if (std::erase(servers, processor) == 0 || !servers.empty()) return;
  // A replica is not missed where other lanes are open: they have their sessions already.
  const bool others_open = std::count(closed.begin(), closed.end(), false) > 1;
  const int other = substitute(lane, task, {});
  if (other < 0 || (plan.lanes[at(lane)].tasks.size() == 1 && others_open)) {
    close_lane(lane);
    return;
  }
  servers.push_back(other);
  worker(other).wake.notify_one();
}

/// Its requests start again elsewhere, before all that wait.
void Engine::State::close_lane(int lane) {
  closed[at(lane)] = true;
  std::vector<RequestPtr> moved;
  for (const RequestPtr& request : undelivered) {
    if (!request->finished && request->lane == lane) moved.push_back(request);
  }
  for (const RequestPtr& request : moved) leave(request);
  pending.insert(pending.begin(), moved.begin(), moved.end());
  for (const auto& any : workers) any->wake.notify_one();
}

/// What waited for a processor that is lost now, after failing elsewhere.
void Engine::State::fail_what_nobody_runs() {
  std::vector<Work> stranded;
  for (const auto& lane : ready) {
    for (const Work& work : lane) {
      bool somebody = false;
      for (int p = 0; p < static_cast<int>(workers.size()); ++p)
        somebody = somebody || (!worker(p).lost && may_run(p, work));
      if (!somebody) stranded.push_back(work);
    }
  }
  for (const Work& work : stranded) {
    if (is_wanted(work)) finish(work.request, work.failure ? work.failure : nobody_left());
  }
}

std::exception_ptr Engine::State::nobody_left() const {
  std::string what = "No processor is left to run the network.";
  for (std::size_t p = 0; p < workers.size(); ++p) {
    if (!workers[p]->reason.empty()) what += ' ' + plan.processors[p].name + ": " + workers[p]->reason;
  }
  return std::make_exception_ptr(Error(ErrorCode::kUnsupported, what));
}

double Engine::State::stall_limit(const Work& work, int processor) const {
  if (options.stall_seconds > 0) return options.stall_seconds;
  const double expected = plan.lanes[at(work.lane)].tasks[at(work.task)].seconds[at(processor)];
  return std::max(10.0, 100 * (std::isfinite(expected) ? expected : 0));
}

/// Finds processors that do not return.
void Engine::State::watch() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    const double pause = options.stall_seconds > 0 ? std::clamp(options.stall_seconds / 4, 0.001, 1.0) : 1.0;
    watchdog.wait_for(lock, std::chrono::duration<double>(pause));
    for (int p = 0; p < static_cast<int>(workers.size()); ++p) {
      Worker& self = worker(p);
      if (!self.work || !self.timed) continue;
      const double seconds = std::chrono::duration<double>(Clock::now() - self.since).count();
      if (seconds < stall_limit(*self.work, p)) continue;
      Work work = *std::exchange(self.work, std::nullopt);
      ++self.ticket;
      busy_resources &= ~plan.processors[at(p)].resources;
      fail_run(p, std::move(work), std::make_exception_ptr(ProcessorLost(fmt::format(
                                       "A run has not returned after {:.3g} seconds.", seconds))));
      admit();
      for (const auto& any : workers) any->wake.notify_one();
      deliver(lock);
    }
  }
}

}  // namespace mpq::executing
