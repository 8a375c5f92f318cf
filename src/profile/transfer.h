#pragma once

#include <cstdint>
#include <vector>

#include "mpq/observer.h"
#include "mpq/profile.h"

namespace mpq::profiling {

/// What handing so many bytes over took.
struct TransferSample {
  std::int64_t bytes = 0;
  double seconds = 0;
};

/// fixed + bytes * per_byte, neither negative, with the least sum of squared relative errors. `from` and `to` are left
/// at 0. Needs at least one sample, all with seconds above 0.
TransferCost fit_transfer(const std::vector<TransferSample>& samples);

/// Every ordered pair of different present processors: one thread on the cores of the first writes a tensor and wakes
/// a thread on the cores of the second, which reads it. Counted is the time from the signal to the last byte read, less
/// what reading it takes where it was written: that is in the times of the segments already.
std::vector<TransferCost> measure_transfers(const std::vector<Processor>& processors, Observer& observer);

}  // namespace mpq::profiling
