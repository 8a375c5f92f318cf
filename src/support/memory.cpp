#include "support/memory.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <unistd.h>
#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace mpq {

namespace {

/// The number a file begins with; 0 for "max" and where there is no such file.
std::int64_t number_in(const std::string& path) {
  std::int64_t number = 0;
  std::ifstream(path) >> number;
  return number;
}

/// The least limit from the process's control group (version 2) up to the root.
std::int64_t group_limit() {
  std::int64_t least = number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes");  // version 1
  std::ifstream membership("/proc/self/cgroup");
  for (std::string line; std::getline(membership, line);) {
    if (!line.starts_with("0::")) continue;
    for (std::string group = line.substr(3);; group.resize(group.find_last_of('/'))) {
      const std::int64_t limit = number_in("/sys/fs/cgroup" + group + "/memory.max");
      if (limit > 0) least = least > 0 ? std::min(least, limit) : limit;
      if (group.find('/') == std::string::npos) break;
    }
  }
  return least;
}

}  // namespace

std::int64_t machine_memory_bytes() {
  const std::int64_t pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  const std::int64_t machine = pages > 0 && page > 0 ? pages * page : 0;
  const std::int64_t group = group_limit();
  return group > 0 && (machine == 0 || group < machine) ? group : machine;
}

void trim_memory() {
#if defined(__GLIBC__)
  ::malloc_trim(0);
#endif
}

}  // namespace mpq
