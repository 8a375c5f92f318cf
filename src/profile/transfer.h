#pragma once

#include <cstdint>
#include <vector>

#include "mpq/observer.h"
#include "mpq/profile.h"

namespace mpq::profiling {

/// What it took to read so many bytes on another processor, from the signal on, and where they were written.
struct TransferSample {
  std::int64_t bytes = 0;
  double across = 0, local = 0;  ///< seconds
};

/// fixed + bytes * per_byte, neither negative, nearest to `across` less `local`, which noise may make negative: with
/// the least sum of squared errors in units of `across`, their root mean square being the cost's `error`. `from` and
/// `to` are left at 0. Needs at least one sample, all with `across` above 0.
TransferCost fit_transfer(const std::vector<TransferSample>& samples);

/// Every ordered pair of different present processors: one thread on the cores of the first writes a tensor and wakes
/// a thread on the cores of the second, which reads it. Counted is the time from the signal to the last byte read, less
/// what reading it takes where it was written: that is in the times of the segments already.
std::vector<TransferCost> measure_transfers(const std::vector<Processor>& processors, Observer& observer);

}  // namespace mpq::profiling
