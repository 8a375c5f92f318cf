#pragma once

#include "mpq/observer.h"
#include "mpq/profile.h"
#include "mpq/samples.h"

#include "profile/subnet.h"

namespace mpq::profiling {

/// mpq::profile, with plans of one width everywhere written by `write`.
Profile measure(const Model& model, const Samples& samples, const ProfileOptions& options, const PlanWriter& write,
                Observer& observer);

}  // namespace mpq::profiling
