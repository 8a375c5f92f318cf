#include "execute/engine_state.h"

#include <algorithm>

namespace mpq::executing {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

}  // namespace

Engine::State::State(EnginePlan given, SubnetFactory make, const EngineOptions& chosen)
    : plan(std::move(given)),
      factory(std::move(make)),
      options(chosen),
      inside(plan.lanes.size(), 0),
      closed(plan.lanes.size(), false),
      ready(plan.lanes.size()) {
  for (std::size_t p = 0; p < plan.processors.size(); ++p) workers.push_back(std::make_unique<Worker>());
}

/// Requests enter the lane that should answer first, in the order in which they came.
void Engine::State::admit() {
  const std::size_t before = pending.size();
  for (auto next = pending.begin(); next != pending.end();) {
    const int forced = (*next)->forced_lane;
    int best = -1;
    double least = 0;
    bool open = false;
    for (int lane = 0; lane < static_cast<int>(plan.lanes.size()); ++lane) {
      if (closed[at(lane)]) continue;
      open = true;
      const bool wrong = forced >= 0 && forced != lane && !closed[at(forced)];
      if (wrong || inside[at(lane)] >= plan.lanes[at(lane)].in_flight) continue;
      const double promised = (inside[at(lane)] + 1) / plan.lanes[at(lane)].rate;
      if (best >= 0 && promised >= least) continue;
      best = lane;
      least = promised;
    }
    if (!open) {
      const RequestPtr request = *next;
      next = pending.erase(next);
      finish(request, nobody_left());
      continue;
    }
    if (best < 0 && forced < 0) break;
    if (best < 0) {
      ++next;
      continue;
    }
    const RequestPtr request = *next;
    next = pending.erase(next);
    enter(request, best);
  }
  if (pending.size() < before) room.notify_all();
}

void Engine::State::enter(const RequestPtr& request, int lane) {
  const auto& tasks = plan.lanes[at(lane)].tasks;
  ++inside[at(lane)];
  request->lane = lane;
  if (request->entered == Clock::time_point{}) request->entered = Clock::now();
  request->values = request->inputs;
  request->uses.assign(at(plan.values), 0);
  for (const int value : plan.results) ++request->uses[at(value)];
  request->missing.assign(tasks.size(), 0);
  request->unfinished = tasks.size();
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    for (const int value : tasks[t].inputs) {
      ++request->uses[at(value)];
      if (!request->values[at(value)]) ++request->missing[t];
    }
  }
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    if (request->missing[t] == 0) make_ready({request, lane, static_cast<int>(t), {}, nullptr});
  }
}

void Engine::State::make_ready(Work work) {
  for (const int p : task_of(work).processors) {
    if (!worker(p).work) worker(p).wake.notify_one();
  }
  ready[at(work.lane)].push_back(std::move(work));
}

void Engine::State::finish_task(const Work& work, std::vector<Value> outputs) {
  Request& request = *work.request;
  const auto& tasks = plan.lanes[at(work.lane)].tasks;
  const EngineTask& task = tasks[at(work.task)];
  for (std::size_t i = 0; i < task.outputs.size(); ++i) {
    const int value = task.outputs[i];
    request.values[at(value)] = std::move(outputs[i]);
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      const auto& reads = tasks[t].inputs;
      if (std::find(reads.begin(), reads.end(), value) == reads.end()) continue;
      if (--request.missing[t] == 0) make_ready({work.request, work.lane, static_cast<int>(t), {}, nullptr});
    }
  }
  for (const int value : task.inputs) {
    if (--request.uses[at(value)] == 0) request.values[at(value)] = {};
  }
  if (--request.unfinished == 0) finish(work.request, nullptr);
}

void Engine::State::finish(const RequestPtr& request, std::exception_ptr failure) {
  if (!failure) {
    for (const int value : plan.results) request->results.push_back(request->values[at(value)]);
  }
  leave(request);
  request->failure = failure;
  request->finished = true;
  request->values.clear();
  request->inputs.clear();
}

/// Calls back what is next in the order of submission, one thread at a time and without the lock: callers may copy
/// large results.
void Engine::State::deliver(std::unique_lock<std::mutex>& lock) {
  if (delivering) return;
  delivering = true;
  while (!undelivered.empty() && undelivered.front()->finished) {
    const RequestPtr first = undelivered.front();
    lock.unlock();
    first->done(std::move(first->results), first->failure);
    first->done = nullptr;
    lock.lock();
    undelivered.pop_front();
  }
  delivering = false;
  if (undelivered.empty()) settled.notify_all();
}

/// Takes the request out of its lane, with all that is ready of it.
void Engine::State::leave(const RequestPtr& request) {
  if (request->lane < 0) return;
  std::erase_if(ready[at(request->lane)], [&](const Work& work) { return work.request == request; });
  --inside[at(request->lane)];
  request->lane = -1;
}

}  // namespace mpq::executing
