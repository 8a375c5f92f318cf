#pragma once

#include <array>
#include <string>
#include <vector>

#include "mpq/profile.h"

namespace mpq {

/// A layer and the kernel that a plan gives it: "int8", "int4", or "" for floats.
struct PlannedLayer {
  std::string name;
  double weight = 1;  ///< its share in what a segment of several layers takes: its parameters
  std::string kernel;
};

/// What the profile of a model with these kernels would be: one column per processor, at the precision the profile
/// itself is based on, put together from the measured ones. Layers that are not named run in floats.
///
/// A segment takes the mean of its times on its layers' kernels, by their weights; one without layers, which adds or
/// pools, runs as the segments it reads from. Neighbours in one session save what they save at their precision. Where
/// one of them runs on integer activations (Profile::integer_activations) and the other does not, they save a call and
/// no more: numbers are still converted between them. Times of one kernel everywhere add up to the measured whole.
class PlannedProfile {
 public:
  /// Refers to the profile.
  PlannedProfile(const Profile& profile, std::vector<PlannedLayer> layers);

  void set_kernel(std::size_t layer, const std::string& kernel);
  const std::vector<PlannedLayer>& layers() const { return layers_; }
  const Profile& profile() const { return planned_; }
  /// Seconds of the whole network in one session on a processor that runs all of it.
  double whole_seconds(int processor) const;

 private:
  static constexpr std::size_t kKernels = 3;
  /// Which part of a segment runs on which kernel; adds up to 1.
  using Mix = std::array<double, kKernels>;
  /// What was measured on one processor, by kernel; floats where nothing was. Times `scale` they add up to the whole.
  struct Measured {
    std::array<const CostColumn*, kKernels> columns;
    std::array<double, kKernels> scales;
    double call_seconds = 0;
  };

  void fill();
  Mix mix_of(std::size_t segment) const;
  double seconds_alone(const Measured& measured, std::size_t segment) const;
  double seconds_saved(const Measured& measured, std::size_t segment) const;

  const Profile& measured_profile_;
  std::vector<PlannedLayer> layers_;
  Profile planned_;
  std::vector<Measured> measured_;                // parallel to planned_.columns
  std::vector<std::vector<std::size_t>> within_;  // by segment: its layers
  std::vector<char> may_be_integer_;              // by segment: whether its activations may be integers
  std::vector<Mix> mixes_;                        // by segment
};

}  // namespace mpq
