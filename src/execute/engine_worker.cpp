#include <algorithm>

#include "execute/engine_state.h"
#include "support/affinity.h"

namespace mpq::executing {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

}  // namespace

bool Engine::State::may_run(int processor, const Work& work) const {
  if (work.failed_on.count(processor) != 0) return false;
  const auto& servers = plan.lanes[at(work.lane)].tasks[at(work.task)].processors;
  if (std::find(servers.begin(), servers.end(), processor) != servers.end()) return true;
  // Failed where it belongs: whoever is chosen instead.
  return !work.failed_on.empty() && substitute(work.lane, work.task, work.failed_on) == processor;
}

/// The planned order first, then what is nearest to its end, then who came first.
bool Engine::State::take(int processor, Work& work) {
  if ((busy_resources & plan.processors[at(processor)].resources) != 0) return false;
  std::vector<Work>* from = nullptr;
  std::size_t best = 0;
  const auto before = [&](const Work& a, const Work& b) {
    const double start_a = task_of(a).start, start_b = task_of(b).start;
    if (start_a != start_b) return start_a < start_b;
    if (a.task != b.task) return a.task > b.task;
    return a.request->number < b.request->number;
  };
  for (auto& lane : ready) {
    for (std::size_t i = 0; i < lane.size(); ++i) {
      if (!may_run(processor, lane[i]) || (from != nullptr && !before(lane[i], (*from)[best]))) continue;
      from = &lane;
      best = i;
    }
  }
  if (from == nullptr) return false;
  work = std::move((*from)[best]);
  from->erase(from->begin() + static_cast<std::ptrdiff_t>(best));
  return true;
}

void Engine::State::work(int processor) {
  std::optional<PinnedThread> pinned;
  try {
    pinned.emplace(plan.processors[at(processor)].cores);
  } catch (const std::exception&) {
    // The cores are not to be had; the processor works where the system lets it.
  }
  std::unique_lock lock(mutex);
  Worker& self = worker(processor);
  while (!self.lost) {
    Work work;
    if (take(processor, work)) {
      run(processor, std::move(work), lock);
    } else if (stopping) {
      break;
    } else {
      self.wake.wait(lock);
    }
  }
  self.gone = true;
  settled.notify_all();
}

void Engine::State::run(int processor, Work work, std::unique_lock<std::mutex>& lock) {
  Worker& self = worker(processor);
  const std::uint64_t resources = plan.processors[at(processor)].resources;
  const std::uint64_t ticket = ++self.ticket;
  const int lane = work.lane;
  std::vector<Value> inputs;
  for (const int value : task_of(work).inputs) inputs.push_back(work.request->values[at(value)]);
  const std::size_t expected = task_of(work).outputs.size();
  std::shared_ptr<Subnet> subnet = subnets[{lane, work.task, processor}];
  busy_resources |= resources;
  self.work = work;
  self.timed = false;

  std::exception_ptr failure, impossible_here;
  std::vector<Value> outputs;
  const bool made = subnet != nullptr;
  lock.unlock();
  if (!made) {
    try {
      subnet = factory(lane, work.task, processor);
    } catch (...) {
      impossible_here = std::current_exception();
    }
  }
  lock.lock();
  if (!made) subnets[{lane, work.task, processor}] = subnet;
  self.since = Clock::now();
  self.timed = true;
  lock.unlock();
  const Clock::time_point start = Clock::now();
  if (!impossible_here) {
    try {
      outputs = subnet->run(inputs);
      if (outputs.size() != expected) throw std::runtime_error("A subnet returned too few values.");
    } catch (...) {
      failure = std::current_exception();
    }
  }
  const Clock::time_point end = Clock::now();
  inputs.clear();
  lock.lock();
  if (self.ticket != ticket) return;  // given up: somebody else does it

  busy_resources &= ~resources;
  self.work.reset();
  self.timed = false;
  const auto seconds = [&](Clock::time_point t) { return std::chrono::duration<double>(t - born).count(); };
  if (impossible_here) {
    cannot_make(processor, std::move(work), impossible_here);
  } else if (failure) {
    fail_run(processor, std::move(work), failure);
  } else {
    ++self.runs;
    self.busy_seconds += seconds(end) - seconds(start);
    if (options.trace)
      events.push_back({work.request->number, lane, work.task, processor, seconds(start), seconds(end),
                        seconds(work.request->entered)});
    // The processor before it was at fault, not the request.
    for (const int other : work.failed_on) {
      if (++worker(other).failures >= 3) lose(other, "It failed three times in a row what others could run.");
    }
    self.failures = 0;
    if (is_wanted(work)) finish_task(work, std::move(outputs));
  }
  admit();
  for (std::size_t p = 0; p < workers.size(); ++p) {
    // Whoever waited for these cores.
    const bool shares = (plan.processors[p].resources & resources) != 0 && static_cast<int>(p) != processor;
    if (shares) workers[p]->wake.notify_one();
  }
  deliver(lock);
}

}  // namespace mpq::executing
