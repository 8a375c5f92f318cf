#pragma once

#include <string>

#include "mpq/allocate.h"
#include "mpq/profile.h"
#include "mpq/sensitivity.h"

namespace mpq {

/// The scores with what every candidate costs in time on one processor of the profile (CandidateScore::nanoseconds,
/// Sensitivity::time).
///
/// A candidate runs as the encoder writes it: on an int8 kernel, on an int4 kernel, or in floats; the profile has times
/// of each segment in each of them. A segment's share of the whole network's time is its time alone less half of what
/// it saves with each neighbour in one session, scaled so that the shares at one precision add up to the measured whole
/// at that precision; what a segment gains by a kernel is divided among its layers by their weights. So a plan of one
/// kernel everywhere is predicted as it was measured, and mixtures by adding up. A layer with integer activations
/// (Profile::integer_activations) runs on the int8 kernel at every width of a plain grid.
/// Of the options, `compute` and `activation_ranges` count: "float" runs everything in floats. Throws
/// Error{kInvalidInput} when the profile is of another model or does not have the processor at the model's own
/// precision.
Sensitivity price_times(Sensitivity scores, const Profile& profile, int processor, const AllocateOptions& options = {});

/// The scores priced on the processor whose plan for these budgets does least damage; of equal ones, on the one whose
/// plan is fastest. AllocateOptions::divided prices every layer where place() puts it for a synchronous task, and what
/// it saves of the whole. What a kernel saves depends on those around it, so prices are right for the plan they lead to
/// and all that differ from it in one layer. Throws as allocate() does: Error{kInfeasible} when the time budget is met
/// on no processor, with the feasible range of the fastest.
Sensitivity price_best_times(const Sensitivity& scores, const Profile& profile, const Budget& size,
                             const AllocateOptions& options);

/// One run of a written model beside one of the original: on the processor it was planned for or, without a profile, on
/// one core.
struct LatencyCheck {
  std::string processor;
  std::string budget;            ///< "8ms"; empty when the time was not limited
  double limit_seconds = 0;      ///< the budget; 0 when there is none
  double predicted_seconds = 0;  ///< by the profile; 0 without one
  double measured_seconds = 0;   ///< median now
  double spread_seconds = 0;     ///< median absolute deviation from it
  double original_seconds = 0;   ///< of the original model, measured in turn with it
  double profiled_seconds = 0;   ///< of the original model, in the profile; 0 without one
  double load_seconds = 0;       ///< loading the written model from memory, once
  double original_load_seconds = 0;
  double noise = 0;  ///< relative spread of the same work's time, as the profile states it
  int repairs = 0;   ///< plans that were written, measured and found too slow before

  /// What was measured, at the pace the machine had when the profile was made: other work slows both models alike.
  double seconds() const {
    return original_seconds > 0 && profiled_seconds > 0 ? measured_seconds * profiled_seconds / original_seconds
                                                        : measured_seconds;
  }
  /// Of the original's time; 0 where that is not known.
  double ratio() const { return original_seconds > 0 ? measured_seconds / original_seconds : 0; }
  /// Slower than the original by more than 3 %, by more than the measurement's spread, and by 20 us at least.
  bool is_slower() const {
    constexpr double kShare = 1.03, kLeastSeconds = 20e-6;
    return measured_seconds - 2 * spread_seconds > kShare * original_seconds &&
           measured_seconds - original_seconds > kLeastSeconds;
  }
  /// Within the budget, or over it by no more than the profile's noise.
  bool is_met() const { return limit_seconds <= 0 || seconds() <= limit_seconds * (1 + noise); }
};

}  // namespace mpq
