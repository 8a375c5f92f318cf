#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mpq/placement.h"
#include "mpq/profile.h"

#include "latency/planned_profile.h"

namespace mpq {

/// Whether every segment runs there.
bool runs_whole(const CostColumn& column);

/// Where a plan is timed: on one processor of a profile, or divided among them as place() divides a synchronous task.
class TimedPlace {
 public:
  /// Refer to the profile.
  TimedPlace(const Profile& profile, int processor);
  explicit TimedPlace(const Profile& divided);

  /// Divides the network as is best for these kernels; nothing on one processor.
  void settle(const PlannedProfile& planned);
  /// As it is divided.
  double seconds(const PlannedProfile& planned) const;
  /// Divided as is best for these kernels.
  double best_seconds(const PlannedProfile& planned) const;

  /// Of all segments one after the other, the mean over the processors: what a kernel saves here counts even where
  /// another branch takes as long.
  double work_seconds(const PlannedProfile& planned) const;

  double float_seconds() const { return float_seconds_; }
  /// "cpu:0", or "cpu:0 + cpu:1".
  std::string name() const;
  /// The largest of its processors'.
  double noise() const;

 private:
  std::vector<int> processors() const;

  const Profile* profile_;
  int processor_ = -1;
  std::optional<Placement> placement_;
  double float_seconds_ = 0;
};

/// One for each processor that runs the whole network, or, divided, a single one. Throws Error{kInvalidInput} where no
/// processor does, and as place() does.
std::vector<TimedPlace> timed_places(const Profile& profile, bool divided);

/// The name of several processors together: "cpu:0 + cpu:1".
std::string names_of(const Profile& profile, const std::vector<int>& processors);
/// The processors a placement uses, rising.
std::vector<int> processors_of(const Placement& placement);

}  // namespace mpq
