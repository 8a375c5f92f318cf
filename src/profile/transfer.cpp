#include "profile/transfer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <limits>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "mpq/error.h"

#include "profile/subnet.h"
#include "support/affinity.h"
#include "support/statistics.h"

namespace mpq::profiling {
namespace {

using Clock = std::chrono::steady_clock;
using Bytes = std::vector<std::uint64_t>;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void write_all(Bytes& bytes, std::uint64_t value) { std::fill(bytes.begin(), bytes.end(), value); }

/// Reads every word; the result keeps the compiler from leaving it out.
std::uint64_t read_all(const Bytes& bytes) {
  std::uint64_t sum = 0;
  for (const std::uint64_t word : bytes) sum += word;
  return sum;
}

/// A thread on its cores that reads what it is handed and says when it had it.
class Reader {
 public:
  explicit Reader(const std::vector<int>& cores) : thread_([this, cores] { serve(cores); }) {}
  ~Reader() {
    hand(nullptr);
    thread_.join();
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// Seconds from the signal to the last byte.
  double transfer(const Bytes& bytes) {
    const Clock::time_point start = Clock::now();
    hand(&bytes);
    std::unique_lock lock(mutex_);
    signal_.wait(lock, [&] { return is_read_; });
    return std::chrono::duration<double>(read_at_ - start).count();
  }

 private:
  void hand(const Bytes* bytes) {
    {
      const std::lock_guard lock(mutex_);
      bytes_ = bytes;
      is_handed_ = true;
      is_read_ = false;
    }
    signal_.notify_all();
  }

  void serve(const std::vector<int>& cores) {
    const PinnedThread pinned(cores);
    std::unique_lock lock(mutex_);
    while (true) {
      signal_.wait(lock, [&] { return is_handed_; });
      is_handed_ = false;
      if (bytes_ == nullptr) return;
      const Bytes& bytes = *bytes_;
      lock.unlock();
      sum_ += read_all(bytes);
      const Clock::time_point now = Clock::now();
      lock.lock();
      read_at_ = now;
      is_read_ = true;
      signal_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable signal_;
  const Bytes* bytes_ = nullptr;
  bool is_handed_ = false, is_read_ = false;
  Clock::time_point read_at_;
  std::uint64_t sum_ = 0;
  std::thread thread_;
};

double seconds_of_local_read(Bytes& bytes, std::uint64_t value) {
  static std::atomic<std::uint64_t> sum = 0;
  write_all(bytes, value);
  const Clock::time_point start = Clock::now();
  sum += read_all(bytes);
  return seconds_since(start);
}

constexpr std::int64_t kSizes[] = {64, 4 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20};
constexpr int kRepeats = 15;

std::vector<TransferSample> samples_between(const Processor& from, const Processor& to) {
  const PinnedThread pinned(calling_cores(from));
  Reader reader(calling_cores(to));
  std::vector<TransferSample> samples;
  for (const std::int64_t size : kSizes) {
    Bytes bytes(static_cast<std::size_t>(size) / sizeof(std::uint64_t));
    std::vector<double> across, local;
    for (int i = 0; i <= kRepeats; ++i) {
      const double here = seconds_of_local_read(bytes, static_cast<std::uint64_t>(i));
      write_all(bytes, static_cast<std::uint64_t>(i));
      const double there = reader.transfer(bytes);
      if (i == 0) continue;  // pages are touched, threads are awake
      across.push_back(there);
      local.push_back(here);
    }
    samples.push_back({size, quantile(across, 0.5), quantile(local, 0.5)});
  }
  return samples;
}

}  // namespace

TransferCost fit_transfer(const std::vector<TransferSample>& samples) {
  double w = 0, wx = 0, wxx = 0, wy = 0, wxy = 0;  // of the weighted normal equations
  for (const TransferSample& sample : samples) {
    const double x = static_cast<double>(sample.bytes), y = sample.across - sample.local;
    const double weight = 1 / (sample.across * sample.across);
    w += weight, wx += weight * x, wxx += weight * x * x, wy += weight * y, wxy += weight * x * y;
  }
  // The optimum inside the quadrant, if that is where it lies, or the best of its borders.
  std::vector<std::pair<double, double>> candidates = {{std::max(wy / w, 0.0), 0}, {0, std::max(wxy / wxx, 0.0)}};
  const double determinant = w * wxx - wx * wx;
  const double fixed = (wy * wxx - wxy * wx) / determinant, slope = (w * wxy - wx * wy) / determinant;
  if (determinant > 0 && fixed >= 0 && slope >= 0) candidates.emplace_back(fixed, slope);
  TransferCost best;
  best.error = std::numeric_limits<double>::infinity();
  for (const auto& [constant, per_byte] : candidates) {
    double squares = 0;
    for (const TransferSample& sample : samples) {
      const double fitted = constant + static_cast<double>(sample.bytes) * per_byte;
      squares += std::pow((fitted - (sample.across - sample.local)) / sample.across, 2);
    }
    const double error = std::sqrt(squares / static_cast<double>(samples.size()));
    if (error < best.error) best = {0, 0, constant, per_byte, error};
  }
  return best;
}

std::vector<TransferCost> measure_transfers(const std::vector<Processor>& processors, Observer& observer) {
  std::vector<TransferCost> costs;
  // Pairs of the same two sets of cores are the same pair.
  std::map<std::pair<std::vector<int>, std::vector<int>>, TransferCost> known;
  for (std::size_t from = 0; from < processors.size(); ++from) {
    for (std::size_t to = 0; to < processors.size(); ++to) {
      if (from == to || !processors[from].present() || !processors[to].present()) continue;
      if (observer.cancelled()) throw Error(ErrorCode::kInterrupted, "Interrupted while the transfers were timed.");
      const auto [entry, is_new] = known.try_emplace({calling_cores(processors[from]), calling_cores(processors[to])});
      if (is_new) entry->second = fit_transfer(samples_between(processors[from], processors[to]));
      costs.push_back(entry->second);
      costs.back().from = static_cast<int>(from);
      costs.back().to = static_cast<int>(to);
    }
  }
  return costs;
}

}  // namespace mpq::profiling
