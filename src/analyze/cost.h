#pragma once

#include <cstdint>
#include <mutex>

#include "support/thread_clock.h"

namespace mpq::perturb {

/// What the runs cost so far, added up by all workers.
class CostMeter {
 public:
  void add(double seconds, double fit_seconds, std::int64_t runs);
  double seconds() const { return seconds_; }
  double fit_seconds() const { return fit_seconds_; }
  std::int64_t runs() const { return runs_; }

 private:
  std::mutex mutex_;
  double seconds_ = 0;      ///< of running, capturing and loading, over all threads
  double fit_seconds_ = 0;  ///< of fitting grids to weights
  std::int64_t runs_ = 0;
};

}  // namespace mpq::perturb
