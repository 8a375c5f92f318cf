#pragma once

#include <functional>
#include <string>
#include <vector>

#include "mpq/latency.h"
#include "mpq/model.h"
#include "mpq/observer.h"
#include "mpq/profile.h"
#include "mpq/quantize.h"
#include "mpq/samples.h"

#include "latency/planned_profile.h"

namespace mpq {

/// Times written models beside the original, where their plans were made for.
class LatencyBench {
 public:
  /// By a profile: on the processor of this name or, where `divided`, as place() divides the network among them all.
  /// Refers to the model, the profile and the feed: inputs of the shapes the profile was made with; throws
  /// Error{kInvalidInput} for others.
  LatencyBench(const Model& original, const Profile& profile, const std::string& processor, bool divided,
               const Feed& feed);
  /// On one core of this machine, without a profile.
  LatencyBench(const Model& original, const Feed& feed);

  /// Both models in sessions of their own, at most `most_seconds` each beside the loading. `layers`: the kernels of the
  /// written model, by which its time is predicted; of no account without a profile.
  LatencyCheck check(const QuantizedModel& written, const std::vector<PlannedLayer>& layers, const Observer& observer,
                     double most_seconds) const;

 private:
  /// A model made ready.
  struct Network {
    std::function<double()> run;  ///< seconds of one run
    std::string where;
    double load_seconds = 0, predicted_seconds = 0, noise = 0;
  };
  Network network(const Model& model, const std::vector<PlannedLayer>& layers) const;
  Network in_one_session(const Model& model, const std::vector<PlannedLayer>& layers) const;
  Network divided(const Model& model, const std::vector<PlannedLayer>& layers) const;

  const Model& original_;
  const Profile* profile_ = nullptr;
  int index_ = -1;  ///< of the processor in the profile
  Processor processor_;
  bool divided_ = false;
  const Feed& feed_;
};

}  // namespace mpq
