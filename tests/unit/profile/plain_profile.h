#pragma once

#include "mpq/profile.h"
#include "mpq/quantize.h"

#include "profile/profiler.h"

namespace mpq::testing_profiles {

/// mpq::profile without integer activations, which are decided above the floors that unit tests link.
inline Profile plain_profile(const Model& model, const Samples& samples, const ProfileOptions& options,
                             Observer& observer = silent_observer()) {
  const auto write = [&](const Plan& plan) { return quantize(model, plan, QuantizeOptions{}, observer); };
  return profiling::measure(model, samples, options, write, observer);
}

}  // namespace mpq::testing_profiles
