#pragma once

#include <string>

#include "mpq/latency.h"
#include "mpq/model.h"
#include "mpq/observer.h"
#include "mpq/profile.h"
#include "mpq/quantize.h"
#include "mpq/samples.h"

#include "profile/timing.h"

namespace mpq {

/// Times written models beside the original on one processor.
class LatencyBench {
 public:
  /// On a processor of a profile. Refers to the model and the feed: inputs of the shapes the profile was made with;
  /// throws Error{kInvalidInput} for others.
  LatencyBench(const Model& original, const Profile& profile, const std::string& processor, const Feed& feed);
  /// On one core of this machine, without a profile.
  LatencyBench(const Model& original, const Feed& feed);

  /// Both models in sessions of their own, at most `most_seconds` each beside the loading.
  LatencyCheck check(const QuantizedModel& written, const Observer& observer, double most_seconds) const;

 private:
  /// Sets the wall seconds that loading took.
  profiling::Runner runner(const Model& model, double& load_seconds) const;

  const Model& original_;
  Processor processor_;
  const Feed& feed_;
  double profiled_seconds_ = 0;
};

}  // namespace mpq
