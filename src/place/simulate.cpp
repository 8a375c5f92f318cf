#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <queue>
#include <vector>

#include "mpq/error.h"
#include "mpq/placement.h"

#include "support/random.h"

namespace mpq {
namespace {

struct Event {
  double time = 0;
  int request = 0;
  std::size_t lane = 0, stage = 0;
  int processor = 0;
  bool operator>(const Event& other) const { return time != other.time ? time > other.time : request > other.request; }
};

class Stream {
 public:
  Stream(const Placement& placement, int requests, double noise, std::uint64_t seed)
      : placement_(placement), requests_(requests), noise_(noise), random_(mix_key(seed, "simulate")) {
    for (const Lane& lane : placement.lanes) {
      inside_.push_back(0);
      waiting_.emplace_back(lane.subnets.size());
      for (const PlacedSubnet& subnet : lane.subnets) {
        for (const int processor : subnet.processors) idle_[processor] = true;
      }
    }
    admitted_.assign(static_cast<std::size_t>(requests), 0);
  }

  Simulation run() {
    Simulation result;
    admit(0);
    start(0);
    double now = 0;
    while (!events_.empty()) {
      const Event event = events_.top();
      events_.pop();
      now = event.time;
      idle_[event.processor] = true;
      if (event.stage + 1 < placement_.lanes[event.lane].subnets.size()) {
        waiting_[event.lane][event.stage + 1].push_back(event.request);
      } else {
        --inside_[event.lane];
        const double seconds = now - admitted_[static_cast<std::size_t>(event.request)];
        result.mean_seconds += seconds / requests_;
        result.most_seconds = std::max(result.most_seconds, seconds);
      }
      admit(now);
      start(now);
    }
    result.rate = requests_ / now;
    return result;
  }

 private:
  /// Requests enter the lane that promises to answer first, as long as one has room.
  void admit(double now) {
    while (next_ < requests_) {
      std::size_t best = placement_.lanes.size();
      double least = 0;
      for (std::size_t i = 0; i < placement_.lanes.size(); ++i) {
        if (inside_[i] >= placement_.lanes[i].in_flight) continue;
        const double promised = (inside_[i] + 1) / placement_.lanes[i].rate;
        if (best < placement_.lanes.size() && promised >= least) continue;
        best = i;
        least = promised;
      }
      if (best == placement_.lanes.size()) return;
      ++inside_[best];
      admitted_[static_cast<std::size_t>(next_)] = now;
      waiting_[best][0].push_back(next_++);
    }
  }

  /// Every idle processor takes what is nearest to its end, and of that who came first; one thing at a time, whatever
  /// number of subnets it serves.
  void start(double now) {
    for (auto& [processor, idle] : idle_) {
      Event next;
      double seconds = 0;
      bool found = false;
      for (std::size_t lane = 0; idle && lane < waiting_.size(); ++lane) {
        for (std::size_t stage = 0; stage < waiting_[lane].size(); ++stage) {
          const PlacedSubnet& subnet = placement_.lanes[lane].subnets[stage];
          const auto server = std::find(subnet.processors.begin(), subnet.processors.end(), processor);
          if (server == subnet.processors.end() || waiting_[lane][stage].empty()) continue;
          const int request = waiting_[lane][stage].front();
          if (found && (stage < next.stage || (stage == next.stage && request > next.request))) continue;
          next = {0, request, lane, stage, processor};
          seconds = subnet.seconds[static_cast<std::size_t>(server - subnet.processors.begin())];
          found = true;
        }
      }
      if (!found) continue;
      idle = false;
      waiting_[next.lane][next.stage].pop_front();
      next.time = now + seconds * factor();
      events_.push(next);
    }
  }

  double factor() {
    if (noise_ <= 0) return 1;
    float normal = 0;
    fill_gaussian(Philox(random_, draws_++), {&normal, 1});
    return std::max(0.05, 1 + noise_ * static_cast<double>(normal));
  }

  const Placement& placement_;
  int requests_, next_ = 0;
  double noise_;
  std::uint64_t random_, draws_ = 0;
  std::vector<int> inside_;
  std::vector<std::vector<std::deque<int>>> waiting_;  // by lane and stage
  std::map<int, bool> idle_;                           // by processor
  std::vector<double> admitted_;                       // by request
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
};

}  // namespace

Simulation simulate(const Placement& placement, int requests, double noise, std::uint64_t seed) {
  if (placement.task != TaskKind::kAsync || placement.lanes.empty() || requests < 1)
    throw Error(ErrorCode::kUsage, "Only a stream of requests over an asynchronous placement can be simulated.");
  return Stream(placement, requests, noise, seed).run();
}

}  // namespace mpq
