#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mpq/observer.h"
#include "mpq/samples.h"

#include "graph/cut.h"
#include "quantize/activation_range.h"

namespace mpq::calibrate {

/// What was seen of one activation over the samples.
struct ActivationStatistics {
  std::int64_t elements = 0;  ///< of one run, the largest
  bool floats = true;         ///< float32 in every sample
  quant::ActivationHistogram histogram;

  /// Whether it can stand on a grid: floats, no sentinels ("masked") among them, and not empty.
  bool fits_grid() const { return floats && histogram.count() > 0 && histogram.sentinels() == 0; }
};

/// Runs the network on every sample and gathers the distribution of these values, a few of them at a time; memory does
/// not grow with the samples. Throws Error{kInterrupted} when cancelled.
std::map<std::string, ActivationStatistics> activation_statistics(const graph::RunForm& form,
                                                                  const std::vector<std::string>& values,
                                                                  const Samples& samples, int threads,
                                                                  Observer& observer);

}  // namespace mpq::calibrate
