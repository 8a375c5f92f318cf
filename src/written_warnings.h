#pragma once

#include <string>

#include "mpq/latency.h"
#include "mpq/observer.h"
#include "mpq/quantize.h"

namespace mpq {

/// Tells where the written model is slower than the original.
void warn_if_slower(const LatencyCheck& check, const std::string& compute, Observer& observer);

/// Tells of 8-bit weights on int8 kernels where this processor's int8 products overflow: for models whose integer
/// kernels were asked for, not chosen by what they cost here.
void warn_if_overflowing(const QuantizedModel& written, Observer& observer);

/// Tells of convolutions that were to run on integer kernels and stay on floats, because no real samples tell the
/// ranges of their activations.
void warn_of_missing_ranges(const Model& model, const QuantizedModel& written, Observer& observer);

}  // namespace mpq
