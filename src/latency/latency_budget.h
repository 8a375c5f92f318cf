#pragma once

#include <functional>
#include <optional>
#include <string>

#include "mpq/latency.h"
#include "mpq/observer.h"
#include "mpq/quantize.h"

namespace mpq {

/// Writes a model for at most so many seconds by the profile, in this arithmetic (AllocateOptions::compute). Throws
/// Error{kInfeasible} when no plan takes so little.
using WriteWithin = std::function<QuantizedModel(double seconds, const std::string& compute)>;

/// A written model with its latency.
struct WithinLatency {
  QuantizedModel model;
  LatencyCheck check;
};

/// Writes and measures until the model meets the budget as measured, beyond the profile's noise: what was too slow is
/// planned again for the time by which the prediction missed. Integer kernels that `--compute auto` left out for the
/// damage their activations do are taken when the budget asks for them. `fastest_seconds`: what the fastest plan takes
/// by the profile; a budget below it is tried with that plan, since a prediction may miss.
/// Throws Error{kInfeasible} with the feasible range when even the fastest model is too slow.
WithinLatency write_within_latency(const Budget& budget, double fastest_seconds, const std::string& compute,
                                   const WriteWithin& write,
                                   const std::function<LatencyCheck(const QuantizedModel&)>& measure,
                                   Observer& observer);

}  // namespace mpq
