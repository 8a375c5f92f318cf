#include "execute/engine.h"

#include <utility>

#include "execute/engine_state.h"
#include "support/affinity.h"

namespace mpq::executing {
namespace {

/// In a thread on the processor's cores: what is allocated there lies near them.
std::shared_ptr<Subnet> make_subnet(const Engine::State& state, int lane, int task, int processor) {
  std::shared_ptr<Subnet> subnet;
  std::exception_ptr failure;
  std::thread([&] {
    try {
      const PinnedThread pinned(state.plan.processors[static_cast<std::size_t>(processor)].cores);
      subnet = state.factory(lane, task, processor);
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
  return subnet;
}

}  // namespace

Engine::Engine(EnginePlan plan, SubnetFactory factory, const EngineOptions& options)
    : state_(std::make_shared<State>(std::move(plan), std::move(factory), options)) {
  for (int lane = 0; lane < static_cast<int>(state_->plan.lanes.size()); ++lane) {
    const auto& tasks = state_->plan.lanes[static_cast<std::size_t>(lane)].tasks;
    for (int task = 0; task < static_cast<int>(tasks.size()); ++task) {
      for (const int p : tasks[static_cast<std::size_t>(task)].processors)
        state_->subnets[{lane, task, p}] = make_subnet(*state_, lane, task, p);
    }
  }
  const auto shared = state_;
  for (int p = 0; p < static_cast<int>(shared->workers.size()); ++p)
    shared->worker(p).thread = std::thread([shared, p] { shared->work(p); });
  shared->watcher = std::thread([shared] { shared->watch(); });
}

void Engine::wait() {
  std::unique_lock lock(state_->mutex);
  state_->settled.wait(lock, [&] { return state_->undelivered.empty() && !state_->delivering; });
}

Engine::~Engine() {
  wait();
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->watchdog.notify_all();
  for (const auto& worker : state_->workers) worker->wake.notify_all();
  for (const auto& worker : state_->workers) {
    if (worker->lost) {
      state_->settled.wait_for(lock, std::chrono::seconds(1), [&] { return worker->gone; });
    } else {
      state_->settled.wait(lock, [&] { return worker->gone || worker->lost; });
    }
  }
  std::vector<std::thread> ended;
  for (const auto& worker : state_->workers) {
    if (worker->gone) {
      ended.push_back(std::move(worker->thread));
    } else {
      worker->thread.detach();
    }
  }
  ended.push_back(std::move(state_->watcher));
  lock.unlock();
  for (std::thread& thread : ended) thread.join();
}

void Engine::submit(std::vector<Value> values, Done done, int lane) {
  auto request = std::make_shared<Request>();
  request->inputs = std::move(values);
  request->inputs.resize(static_cast<std::size_t>(state_->plan.values));
  request->done = std::move(done);
  request->forced_lane = lane;
  std::unique_lock lock(state_->mutex);
  state_->room.wait(lock, [&] { return state_->pending.size() < state_->options.queue; });
  request->number = state_->submitted++;
  state_->undelivered.push_back(request);
  state_->pending.push_back(std::move(request));
  state_->admit();
  state_->deliver(lock);
}

std::vector<EngineHealth> Engine::health() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<EngineHealth> result;
  for (const auto& worker : state_->workers) result.push_back({worker->reason, worker->runs, worker->busy_seconds});
  return result;
}

std::vector<EngineEvent> Engine::events() const {
  const std::lock_guard lock(state_->mutex);
  return state_->events;
}

}  // namespace mpq::executing
