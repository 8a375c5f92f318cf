#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mpq/model.h"
#include "mpq/observer.h"
#include "mpq/output_role.h"
#include "mpq/samples.h"
#include "mpq/sensitivity.h"

namespace mpq {

/// The perturbation engine's knobs (docs/methods.md; US20240220783A1 fixes the steps and leaves the laws open).
struct AnalyzeOptions {
  /// "rounding": reruns with the real rounding errors. "noise": reruns with a random law. "adjoint": reverse passes
  /// price every layer and candidate at once, to second order; layers they do not reach are rerun. "auto": the adjoint
  /// where it applies (metrics kl and mse at the network's outputs, their mean, real rounding errors), else reruns.
  std::string engine = "auto";
  int probes = 1;  ///< reverse passes per sample ("adjoint")
  /// "auto" only: so many layers, spread over the network, are rerun too, to tell how well the engines agree
  /// (Sensitivity::agreement). The prices stay the adjoint's.
  int pilots = 0;
  /// "quantization": the real rounding error at each candidate. "gaussian", "uniform" (+-step/2 of each width),
  /// "rademacher": random laws whose variance is the candidate's rounding-error variance.
  std::string noise = "quantization";
  /// "network": damage at the network's outputs; "local": at the layer's own outputs.
  std::string place = "network";
  /// "auto", "kl", "mse" (variance-normalised), "relative_l2", "sqnr", "cosine".
  std::string metric = "auto";
  std::string aggregation = "mean";  ///< "mean" | "max" | "quantile", over trials
  double quantile = 0.9;
  /// Perturbations per layer and candidate; trial k uses sample k mod (number of samples). 0 = adaptive:
  /// rounds until the layer ranking is settled or `max_trials` is reached; the adjoint takes that many samples.
  int trials = 0;
  int max_trials = 20;
  std::optional<Shard> shard;  ///< only these of the trials; the parts are joined by merge_parts()
  /// Random laws only: each trial runs W+E and W-E and keeps the mean.
  bool antithetic = true;
  std::vector<int> bits = {2, 3, 4, 5, 6, 7, 8, 16, 32};
  /// Storage forms offered besides half floats and the layer as it is: "grid" (always among them), "blocks" (scales per
  /// block of 64), "rows" (widths of rows), "trellis" (2 to 6 bits; left out where the file can hold none).
  std::vector<std::string> forms = {"blocks", "grid", "trellis"};
  /// "packed": every width as few bytes as it has. "fast": only what a runtime need not unpack when it loads the model:
  /// 8 bits, 4 bits from opset 21 on, half floats.
  std::string store = "packed";
  /// The file is for processors without VNNI, where 8 bits saturate, and for ONNX Runtime from 1.17 on, whose older
  /// versions lack arithmetic on 8-bit integers: no 8 bits, no trellises, no widths of rows, operators that all have.
  bool portable = false;
  /// How grids find their scales: "mse" (least squared error) or "minmax" (plain round-to-nearest).
  std::string scale_fit = "mse";
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0 = all cores; results do not depend on it
  /// Rerun the whole network in every trial instead of the part behind the layer (the benchmark's yardstick).
  bool full_reruns = false;
  std::int64_t activation_memory_bytes = std::int64_t{2} << 30;  ///< for captured activations
  /// Of the whole process; 0 = half of the machine's memory. A model that would take more is analyzed piece by piece,
  /// by the adjoint alone (docs/large-models.md).
  std::int64_t memory_limit_bytes = 0;
  /// Where an interrupted run keeps what is done and a repeated one takes it up; empty = nowhere.
  std::string checkpoint_path;
  std::string outputs_glob;  ///< measure only outputs whose name matches; empty = all floating-point outputs
  std::vector<OutputRole> output_roles;  ///< weights and kinds of outputs; later ones win
  void validate() const;
};

/// What an analysis cost; kept out of Sensitivity because it differs from run to run.
struct AnalysisCost {
  double seconds = 0;
  double forward_seconds = 0;         ///< median of one forward pass, one thread
  double forward_equivalents = 0;     ///< seconds of all runs / forward_seconds
  double full_rerun_equivalents = 0;  ///< what the same trials would cost as full forward passes
  std::int64_t trial_runs = 0;
  double bound_equivalents = 0;  ///< the most it was to cost, as announced before it began
};

/// Perturbs the weights of each layer a number of times, measures how much the outputs move, and returns the
/// sensitivity of each layer and the damage of each candidate, each with its standard error.
/// Deterministic: equal model, data, options and seed give equal values at any thread count.
/// Throws Error{kInvalidInput} when the model does not run on the samples.
Sensitivity analyze(const Model& model, const Samples& samples, const AnalyzeOptions& options = {},
                    Observer& observer = silent_observer(), AnalysisCost* cost = nullptr);

/// Joins the parts of one analysis, in any order, as AnalyzeOptions::shard divided it. Every trial is what it would
/// have been in one run, so the result is that of one run: of reruns with a fixed number of trials bit for bit, of the
/// adjoint up to the rounding of its sums. What differs: adaptive trials settle in each part by itself; a layer that no
/// sample exercises gets the mean of the prices the parts put on it; within a memory limit outputs are measured against
/// the energy of the part's own samples; and the pilots are the first part's. A layer that failed in one part is left
/// alone.
/// Throws Error{kUsage} when a part is missing or given twice, Error{kInvalidInput} when they are of different
/// analyses.
Sensitivity merge_parts(const std::vector<Sensitivity>& parts);

}  // namespace mpq
