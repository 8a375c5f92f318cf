#pragma once

#include <string>
#include <vector>

#include "mpq/profile.h"

#include "place/problem.h"

namespace mpq::placing {

/// A profile at one precision as a planning problem.
struct ProfileProblem {
  Problem problem;
  std::vector<int> processors;  ///< the problem's processors as positions in Profile::processors
};

/// Processors that are absent or were not measured at this precision are left out. Times are scaled, per processor, so
/// that those of all segments together give the measured time of the whole network.
/// Throws Error{kInvalidInput} when no processor is left or a segment runs nowhere.
ProfileProblem problem_of(const Profile& profile, const std::string& precision);

/// Problem's Processor::resources for all processors of the profile, absent ones included.
std::vector<std::uint64_t> resources_of(const Profile& profile);

}  // namespace mpq::placing
