#pragma once

#include <array>
#include <span>
#include <vector>

#include "analyze/experiment.h"
#include "analyze/reference.h"
#include "analyze/settle.h"
#include "support/statistics.h"

namespace mpq::perturb {

/// What was measured of one task so far.
struct TaskOutcome {
  DamageTable damages;  ///< [candidate][trial], trials in order from 0
  std::string failure;
  std::int64_t runs = 0;                                 ///< of a part of the network
  std::array<std::vector<double>, 2> row_energies = {};  ///< as in LayerSensitivity
};

/// Aggregates damages over trials, with a standard error:
///   mean:          sample standard deviation / sqrt(n)
///   max, quantile: standard deviation over 200 bootstrap resamples (Efron 1979) drawn from the seed; for the
///                  maximum, which no resample can exceed, read it as a lower bound
/// A single trial says nothing about the spread: the error is then put at the damage itself.
MeanError aggregate(std::span<const double> damages, const AnalyzeOptions& options);

/// The candidate the layer is ranked by.
std::size_t reference_candidate(const LayerSensitivity& layer);

/// Writes damages, errors and the score into a layer whose first candidates, one per row, the damages are of.
void fill_scores(const DamageTable& damages, const AnalyzeOptions& options, LayerSensitivity& layer);

/// The record of everything measured. Tasks that failed join the skipped layers with their reason.
Sensitivity make_sensitivity(const Experiment& experiment, const Reference& reference,
                             const std::vector<TaskOutcome>& outcomes);

/// Damages at the reference width of the tasks that were measured.
std::vector<std::span<const double>> reference_rows(const Experiment& experiment,
                                                    const std::vector<TaskOutcome>& outcomes);

}  // namespace mpq::perturb
