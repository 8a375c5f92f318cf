#pragma once

#include <cstdint>
#include <string>

#include "analyze/capture.h"
#include "analyze/reference.h"
#include "analyze/settle.h"
#include "analyze/stored_weights.h"

namespace mpq::perturb {

/// The outcome of one layer on one range of trials.
struct ItemResult {
  DamageTable damages;     ///< [candidate][trial of the range]
  std::string failure;     ///< why the layer cannot be tested; then there are no damages
  std::string remark;      ///< something the user should know
  std::int64_t runs = 0;   ///< of a part of the network
  double fit_seconds = 0;  ///< processor time that went into fitting grids; not kept in checkpoints
};

/// Perturbs one layer (Experiment::tasks[task]) in every candidate on every trial of the range.
/// Throws Error{kInterrupted} when the observer cancels.
ItemResult run_trials(const Experiment& experiment, const Reference& reference, StoredWeights& stored, std::size_t task,
                      TrialRange range, const Captured& captured, const Observer& observer);

}  // namespace mpq::perturb
