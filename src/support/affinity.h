#pragma once

#include <vector>

namespace mpq {

/// The logical cores the process may use, ascending, as the operating system numbers them.
const std::vector<int>& available_cores();

/// Pins the calling thread to `cores` while it lives and lets it go back where it was. No cores: does nothing.
/// Throws Error{kUsage} for a core the process may not use.
class PinnedThread {
 public:
  explicit PinnedThread(const std::vector<int>& cores);
  ~PinnedThread();
  PinnedThread(const PinnedThread&) = delete;
  PinnedThread& operator=(const PinnedThread&) = delete;

 private:
  std::vector<int> before_;
};

}  // namespace mpq
