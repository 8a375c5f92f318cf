#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mpq/allocate.h"
#include "mpq/analyze.h"
#include "mpq/drop_limit.h"
#include "mpq/profile.h"
#include "mpq/quantize.h"
#include "mpq/run_record.h"
#include "mpq/samples.h"
#include "mpq/verify.h"

namespace mpq {

/// What `mpq quantize` is told.
struct PipelineOptions {
  std::vector<Budget> budgets;
  /// Write the smallest model whose loss on the evaluation data stays within this; at most one budget then limits the
  /// size from above.
  std::optional<DropLimit> max_drop;
  /// The model's profile on this machine: plans know their latency, and AllocateOptions::time_budget may limit it; what
  /// was written is measured. Does not go with max_drop.
  std::optional<Profile> profile;
  AnalyzeOptions analyze;
  AllocateOptions allocate;
  QuantizeOptions
      quantize;  ///< `compute` here is ignored: AllocateOptions::compute rules, "auto" decided by measurement
  VerifyOptions verify;
  std::optional<Samples> calibration;   ///< absent: synthetic
  std::optional<Samples> evaluation;    ///< absent: a held-out fifth of the calibration data, else synthetic
  std::int64_t synthetic_samples = 16;  ///< made up where there are none: as many for each of the two
  std::vector<std::int64_t> labels;     ///< of `evaluation`
  std::optional<Sensitivity> scores;    ///< an earlier analysis; skips the analysis
  std::optional<Plan> plan;             ///< an earlier plan; skips analysis and allocation
  /// Samples of the calibration data on which a few plans for the budget are measured as a whole, to keep the best
  /// (see contending_plans); 0 = take the plan of least summed damage as it is.
  std::size_t joint_samples = 32;
  /// Without a profile too, time the written model beside the original (models up to 1 GiB), and warn if it is slower.
  bool measure_latency = true;
  bool measure_uniform = true;  ///< also measure the same budget spent on one width everywhere
  bool dry_run = false;         ///< write nothing, verify nothing: the record holds the plan and the exact bytes
};

/// One written model and its record.
struct PipelineResult {
  RunRecord record;
  std::optional<QuantizedModel> quantized;  ///< absent on a dry run
};

/// load -> analyze -> allocate -> quantize -> encode -> verify, one result per budget, from one analysis.
/// Writes nothing: the caller saves `quantized` and renders `record`.
std::vector<PipelineResult> run_pipeline(const Model& model, const PipelineOptions& options,
                                         Observer& observer = silent_observer());

}  // namespace mpq
