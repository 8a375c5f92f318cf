#include "support/affinity.h"

#include <sched.h>
#include <string>

#include "mpq/error.h"

#include "support/text.h"

namespace mpq {
namespace {

cpu_set_t set_of(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) CPU_SET(static_cast<std::size_t>(core), &set);
  return set;
}

/// Cores the calling thread may use.
std::vector<int> cores_of_thread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(static_cast<std::size_t>(core), &set)) cores.push_back(core);
  }
  return cores;
}

std::string in_words(const std::vector<int>& cores) {
  std::vector<std::string> parts;
  for (const int core : cores) parts.push_back(std::to_string(core));
  return join(parts, ", ");
}

/// Taken while the library is loaded, before any thread is pinned.
const std::vector<int> kCoresAtStart = cores_of_thread();

}  // namespace

const std::vector<int>& available_cores() { return kCoresAtStart; }

PinnedThread::PinnedThread(const std::vector<int>& cores) {
  if (cores.empty()) return;
  std::vector<int> before = cores_of_thread();
  const cpu_set_t set = set_of(cores);
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    throw Error(ErrorCode::kUsage, "No thread can be pinned to the cores " + in_words(cores) + ".", "--devices",
                "The cores this process may use are " + in_words(available_cores()) + ".");
  }
  before_ = std::move(before);
}

PinnedThread::~PinnedThread() {
  if (before_.empty()) return;
  const cpu_set_t set = set_of(before_);
  sched_setaffinity(0, sizeof set, &set);
}

}  // namespace mpq
