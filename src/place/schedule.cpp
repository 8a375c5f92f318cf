#include "place/schedule.h"

#include <algorithm>
#include <array>
#include <map>

namespace mpq::placing {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

/// Hand-overs between the tasks of one schedule.
class Traffic {
 public:
  Traffic(const Problem& problem, const std::vector<Task>& tasks) : tasks_(tasks) {
    task_of_.assign(at(problem.segments), -1);
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      for (const int segment : tasks[t].segments) task_of_[at(segment)] = static_cast<int>(t);
    }
    flows_.resize(tasks.size());
    for (const Handover& value : problem.handovers) {
      if (value.producer >= 0) add(value);
    }
  }

  struct Flow {
    std::vector<int> reads;  // tasks
    double in_bytes = 0, out_bytes = 0;
    bool takes_in = false, gives_out = false;
  };
  const Flow& of(std::size_t task) const { return flows_[task]; }

 private:
  void add(const Handover& value) {
    const int from = task_of_[at(value.producer)];
    if (from < 0) return;
    Flow& writer = flows_[at(from)];
    std::vector<int> readers;
    bool leaves = false;
    for (const int consumer : value.consumers) {
      const int to = task_of_[at(consumer)];
      if (to < 0 || to == from || std::find(readers.begin(), readers.end(), to) != readers.end()) continue;
      readers.push_back(to);
      Flow& reader = flows_[at(to)];
      reader.reads.push_back(from);
      if (tasks_[at(to)].processor == tasks_[at(from)].processor) continue;
      leaves = reader.takes_in = true;
      reader.in_bytes += static_cast<double>(value.bytes);
    }
    if (!leaves) return;
    writer.gives_out = true;
    writer.out_bytes += static_cast<double>(value.bytes);
  }

  const std::vector<Task>& tasks_;
  std::vector<int> task_of_;
  std::vector<Flow> flows_;
};

double computing_seconds(const Problem& problem, const Task& task) {
  double seconds = 0;
  for (std::size_t i = 0; i < task.segments.size(); ++i) {
    seconds += i == 0 ? problem.time(task.segments[0], task.processor)
                      : problem.time_behind(task.segments[i - 1], task.segments[i], task.processor);
  }
  return seconds;
}

bool memory_suffices(const Problem& problem, const std::vector<Task>& tasks) {
  std::vector<double> bytes(problem.processors.size(), 0);
  for (const Task& task : tasks) {
    for (const int segment : task.segments) bytes[at(task.processor)] += problem.bytes(segment, task.processor);
  }
  for (std::size_t p = 0; p < bytes.size(); ++p) {
    if (bytes[p] > problem.processors[p].memory_bytes) return false;
  }
  return true;
}

}  // namespace

void settle(const Problem& problem, Schedule& schedule) {
  const Traffic traffic(problem, schedule.tasks);
  std::array<double, 64> free{};
  schedule.seconds = memory_suffices(problem, schedule.tasks) ? 0 : kNever;
  for (std::size_t t = 0; t < schedule.tasks.size(); ++t) {
    Task& task = schedule.tasks[t];
    const Traffic::Flow& flow = traffic.of(t);
    const Processor& processor = problem.processors[at(task.processor)];
    task.start = 0;
    for (const int read : flow.reads) {
      const Task& before = schedule.tasks[at(read)];
      task.start = std::max(task.start, at(read) < t ? before.start + before.seconds : kNever);
    }
    for (std::size_t r = 0; r < free.size(); ++r) {
      if ((processor.resources >> r & 1U) != 0) task.start = std::max(task.start, free[r]);
    }
    task.seconds = computing_seconds(problem, task);
    if (flow.takes_in) task.seconds += processor.in_seconds + processor.in_seconds_per_byte * flow.in_bytes;
    if (flow.gives_out) task.seconds += processor.out_seconds + processor.out_seconds_per_byte * flow.out_bytes;
    for (std::size_t r = 0; r < free.size(); ++r) {
      if ((processor.resources >> r & 1U) != 0) free[r] = task.start + task.seconds;
    }
    schedule.seconds = std::max(schedule.seconds, task.start + task.seconds);
  }
}

namespace {

/// When the cores are taken: busy intervals of one resource, rising.
using Busy = std::map<double, double>;

class ListScheduler {
 public:
  ListScheduler(const Problem& problem, int first, int end, std::uint32_t set)
      : problem_(problem), first_(first), end_(end) {
    for (int p = 0; p < problem.processor_count(); ++p) {
      if ((set >> p & 1U) != 0) processors_.push_back(p);
    }
    reads_.resize(at(end - first));
    read_by_.resize(at(end - first));
    for (const Handover& value : problem.handovers) {
      if (value.producer < first || value.producer >= end) continue;
      for (const int consumer : value.consumers) {
        if (consumer >= end) break;
        reads_[at(consumer - first)].emplace_back(value.producer, static_cast<double>(value.bytes));
        read_by_[at(value.producer - first)].emplace_back(consumer, static_cast<double>(value.bytes));
      }
    }
  }

  std::vector<Task> run() {
    std::vector<int> order;
    for (int s = first_; s < end_; ++s) order.push_back(s);
    const std::vector<double> rank = upward_ranks();
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return rank[at(a - first_)] > rank[at(b - first_)]; });
    placed_.assign(at(end_ - first_), {});
    for (const int segment : order) {
      if (!place(segment)) return {};
    }
    std::vector<Task> tasks;
    for (int s = first_; s < end_; ++s) tasks.push_back(placed_[at(s - first_)]);
    std::stable_sort(tasks.begin(), tasks.end(), [](const Task& a, const Task& b) { return a.start < b.start; });
    return tasks;
  }

 private:
  /// Length of the longest way from the segment's start to the end, times averaged over the processors.
  std::vector<double> upward_ranks() const {
    std::vector<double> rank(at(end_ - first_), 0);
    for (int s = end_ - 1; s >= first_; --s) {
      double sum = 0, count = 0, behind = 0;
      for (const int p : processors_) {
        if (problem_.time(s, p) == kNever) continue;
        sum += problem_.time(s, p);
        ++count;
      }
      for (const auto& [reader, bytes] : read_by_[at(s - first_)])
        behind = std::max(behind, rank[at(reader - first_)] + mean_transfer(bytes));
      // A rank above every reader's, also where times are 0: the order must be topological.
      rank[at(s - first_)] = std::max((count > 0 ? sum / count : 0) + behind, behind * (1 + 1e-12));
    }
    return rank;
  }

  double transfer(int from, int to, double bytes) const {
    if (from == to) return 0;
    const Processor &writer = problem_.processors[at(from)], &reader = problem_.processors[at(to)];
    return writer.out_seconds + writer.out_seconds_per_byte * bytes + reader.in_seconds +
           reader.in_seconds_per_byte * bytes;
  }

  double mean_transfer(double bytes) const {
    double sum = 0;
    for (const int from : processors_) {
      for (const int to : processors_) sum += transfer(from, to, bytes);
    }
    return sum / static_cast<double>(processors_.size() * processors_.size());
  }

  /// The earliest start at or behind `ready` at which all the processor's resources are free for `seconds`.
  double earliest(std::uint64_t resources, double ready, double seconds) const {
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t r = 0; r < busy_.size(); ++r) {
        if ((resources >> r & 1U) == 0) continue;
        for (const auto& [begin, end] : busy_[r]) {
          if (end <= ready || begin >= ready + seconds) continue;
          ready = end;
          moved = true;
        }
      }
    }
    return ready;
  }

  /// Puts the segment where it ends first. False when it runs on none of the processors.
  bool place(int segment) {
    Task best;
    double best_end = kNever;
    for (const int p : processors_) {
      double seconds = problem_.time(segment, p), ready = 0;
      if (seconds == kNever) continue;
      for (const auto& [read, bytes] : reads_[at(segment - first_)]) {
        const Task& before = placed_[at(read - first_)];
        ready = std::max(ready, before.start + before.seconds + transfer(before.processor, p, bytes));
        if (read == segment - 1 && before.processor == p) seconds = problem_.time_behind(read, segment, p);
      }
      const double start = earliest(problem_.processors[at(p)].resources, ready, seconds);
      if (start + seconds >= best_end) continue;
      best_end = start + seconds;
      best = {{segment}, p, start, seconds};
    }
    if (best_end == kNever) return false;
    for (std::size_t r = 0; r < busy_.size(); ++r) {
      const bool used = (problem_.processors[at(best.processor)].resources >> r & 1U) != 0;
      if (used && best.seconds > 0) busy_[r][best.start] = best_end;
    }
    placed_[at(segment - first_)] = std::move(best);
    return true;
  }

  const Problem& problem_;
  int first_, end_;
  std::vector<int> processors_;
  std::vector<std::vector<std::pair<int, double>>> reads_, read_by_;  // segment, bytes
  std::vector<Task> placed_;                                          // by segment - first
  std::array<Busy, 64> busy_;
};

}  // namespace

std::vector<Task> list_schedule(const Problem& problem, int first, int end, std::uint32_t set) {
  return ListScheduler(problem, first, end, set).run();
}

namespace {

Schedule joined(const Schedule& schedule, std::size_t first, std::size_t second, bool at_second) {
  Schedule result = schedule;
  Task task = result.tasks[first];
  const auto& more = result.tasks[second].segments;
  task.segments.insert(task.segments.end(), more.begin(), more.end());
  std::sort(task.segments.begin(), task.segments.end());
  result.tasks[at_second ? second : first] = std::move(task);
  result.tasks.erase(result.tasks.begin() + static_cast<std::ptrdiff_t>(at_second ? first : second));
  return result;
}

}  // namespace

void join_tasks(const Problem& problem, Schedule& schedule) {
  settle(problem, schedule);
  for (std::size_t t = 0; t < schedule.tasks.size();) {
    // The next task of the same processor.
    std::size_t next = t + 1;
    while (next < schedule.tasks.size() && schedule.tasks[next].processor != schedule.tasks[t].processor) ++next;
    bool done = false;
    for (const bool at_second : {false, true}) {
      if (next >= schedule.tasks.size() || done) break;
      Schedule trial = joined(schedule, t, next, at_second);
      settle(problem, trial);
      if (trial.seconds > schedule.seconds * (1 + 1e-12)) continue;
      schedule = std::move(trial);
      done = true;
    }
    if (!done) ++t;
  }
}

}  // namespace mpq::placing
