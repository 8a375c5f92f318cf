#pragma once

#include <optional>
#include <vector>

#include "mpq/observer.h"
#include "mpq/profile.h"

#include "profile/timing.h"

namespace mpq::profiling {

/// Two small networks of known work on every processor: one addition of four numbers, which costs a call and nothing
/// else, and a product of matrices, timed again and again while the profile is made, which shows how steady the machine
/// is.
class Yardstick {
 public:
  /// Finds out which processors are there: fills Processor::absent and description of `processors`, and the cores of
  /// those that compute on the CPU and name none.
  explicit Yardstick(std::vector<Processor>& processors);

  /// Times the product once on every processor that is there; 0 for others.
  std::vector<double> tick() const;
  /// Seconds of a call, per processor; 0 for those that are not there.
  std::vector<double> call_seconds(int repeats, double most_seconds, const Observer& observer) const;

 private:
  std::vector<std::optional<Runner>> calls_, products_;
};

/// The relative spread of repeated times of the same work: 1.4826 median absolute deviations over the median, which is
/// the standard deviation where the errors are normal. Values of 0 are left out; 0 for fewer than two.
double relative_spread(const std::vector<double>& seconds);

}  // namespace mpq::profiling
