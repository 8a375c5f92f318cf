#include "runtime/measure.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <vector>

#include "mpq/error.h"

namespace mpq::runtime {
namespace {

double seconds_of_run(const Session& session, const Feed& feed) {
  const auto start = std::chrono::steady_clock::now();
  (void)session.run(feed);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// A figure of /proc/self/status; 0 where there is none.
std::int64_t status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(key)) continue;
    std::int64_t kibibytes = 0;
    if (std::istringstream(line.substr(key.size())) >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

}  // namespace

double median_forward_seconds(const Session& session, std::span<const Feed> feeds, int max_runs,
                              double budget_seconds) {
  if (feeds.empty()) throw Error(ErrorCode::kInternal, "A forward pass cannot be timed without a sample.");
  (void)session.run(feeds.front());  // the first run allocates
  std::vector<double> seconds;
  double total = 0;
  for (int i = 0; i < std::max(3, max_runs) && (i < 3 || total < budget_seconds); ++i) {
    seconds.push_back(seconds_of_run(session, feeds[static_cast<std::size_t>(i) % feeds.size()]));
    total += seconds.back();
  }
  std::sort(seconds.begin(), seconds.end());
  const std::size_t middle = seconds.size() / 2;
  return seconds.size() % 2 == 1 ? seconds[middle] : (seconds[middle - 1] + seconds[middle]) / 2;
}

std::int64_t peak_memory_bytes() {
  const std::int64_t peak = status_bytes("VmHWM:");
  if (peak > 0) return peak;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

std::int64_t resident_bytes() { return status_bytes("VmRSS:"); }

}  // namespace mpq::runtime
