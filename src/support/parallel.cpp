#include "support/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <sched.h>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "mpq/error.h"

namespace mpq {
namespace {

/// Cores this process may run on: fewer than the machine has under taskset or a cpuset.
int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    const int count = CPU_COUNT(&set);
    if (count > 0) return count;
  }
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// The exception of the lowest index seen so far. Indices are handed out in order, so every index below a failed one
/// has been started and will report here: which exception wins does not depend on the schedule.
class FirstFailure {
 public:
  void record(std::size_t index, std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_ || index < index_) {
      index_ = index;
      error_ = std::move(error);
    }
    failed_.store(true, std::memory_order_relaxed);
  }
  bool failed() const { return failed_.load(std::memory_order_relaxed); }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> failed_{false};
  std::size_t index_ = 0;
  std::exception_ptr error_;
};

}  // namespace

int resolve_threads(int requested) {
  if (requested < 0)
    throw Error(ErrorCode::kUsage, std::to_string(requested) + " is no number of threads.", "--threads",
                "Give 0 for all cores, or a positive number.");
  return requested == 0 ? usable_cores() : requested;
}

void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t, int)>& body) {
  const auto wanted = static_cast<std::size_t>(resolve_threads(threads));
  const std::size_t workers = std::min(wanted, count);
  std::atomic<std::size_t> next{0};
  FirstFailure failure;
  const auto work = [&](int worker) {
    while (!failure.failed()) {
      const std::size_t i = next.fetch_add(1);
      if (i >= count) return;
      try {
        body(i, worker);
      } catch (...) {
        failure.record(i, std::current_exception());
      }
    }
  };
  std::vector<std::thread> helpers;
  helpers.reserve(workers);
  try {
    for (std::size_t w = 1; w < workers; ++w) helpers.emplace_back(work, static_cast<int>(w));
  } catch (const std::system_error&) {
    // The system grants no more threads; those there are do all the work.
  }
  work(0);
  for (std::thread& helper : helpers) helper.join();
  failure.rethrow();
}

}  // namespace mpq
