#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mpq/layer.h"

namespace mpq {

/// The file an analysis speaks of.
struct ModelFacts {
  std::string path;
  std::string sha256;      ///< of the model file and its external data files, in name order
  std::int64_t bytes = 0;  ///< model file plus external data
};

/// The samples an analysis or verification was fed with.
struct DataFacts {
  std::string source;  ///< path, or "synthetic"
  std::string sha256;  ///< of the sample tensors
  std::int64_t samples = 0;
  bool synthetic = false;
};

/// The engine's knobs as they were used (see mpq/analyze.h for the meaning of each).
struct AnalyzeSettings {
  /// What made the prices: "noise" | "rounding" | "adjoint"; "auto" in records of older versions, which mixed the last
  /// two.
  std::string engine = "rounding";
  std::string noise = "quantization";  ///< "gaussian" | "uniform" | "rademacher" | "quantization"
  std::string place = "network";       ///< "network" | "local"
  std::string metric = "auto";         ///< resolved: "kl" | "mse" | "relative_l2" | "sqnr" | "cosine"
  std::string aggregation = "mean";    ///< "mean" | "max" | "quantile"
  double quantile = 0.9;
  int trials = 0;  ///< 0 = adaptive
  int max_trials = 20;
  std::uint64_t seed = 1;
  std::vector<int> bits;          ///< candidate widths
  bool antithetic = true;         ///< random laws only
  std::string scale_fit = "mse";  ///< "mse" | "minmax"
  bool portable = false;          ///< AnalyzeOptions::portable
  int probes = 0;                 ///< reverse passes per sample; 0 where the engine makes none

  bool operator==(const AnalyzeSettings&) const = default;
};

/// One of several parts of an analysis, each worked out by a run of its own: every `parts`-th trial, from the
/// `part`-th on.
struct Shard {
  int part = 1;  ///< 1 to parts
  int parts = 1;

  /// "2/4". Throws Error{kUsage}.
  static Shard parse(const std::string& text);
};

std::string to_string(const Shard& shard);  ///< "2/4"

/// Measured damage of one candidate of one layer, all other layers untouched.
struct CandidateScore {
  Candidate candidate;
  std::int64_t stored_bytes = 0;  ///< packed weights, scales, padding
  std::int64_t file_bytes = 0;    ///< what choosing it adds to the written file, framing included
  std::string function;           ///< the model-local function it needs (SizeFacts::functions); empty = none
  double damage = 0;              ///< aggregated over trials, in the metric's unit; never negative
  double standard_error = 0;
  int trials = 0;
  /// Trellises alone: their squared error on the weights over that of the grid of the same width; their damage, which
  /// is not measured, is as much of the grid's. 0: measured.
  double error_ratio = 0;
  std::vector<double> trial_damages = {};  ///< in the order of the trials; in a part of an analysis alone
  /// What choosing it adds to the network's time on TimeFacts::processor, below 0 where it is faster than float. Told
  /// by a profile (price_times); no part of the record of an analysis, which holds no times.
  std::int64_t nanoseconds = 0;
};

struct LayerSensitivity {
  Layer layer;
  /// The layer's sensitivity: damage at the reference width (4 bits, else the nearest offered), with its standard
  /// error.
  double score = 0;
  double standard_error = 0;
  std::vector<CandidateScore> candidates;  ///< ordered by bytes; the last is always "float" with damage 0
  /// Sum of squares of the adjoint of every row (output channel), over one half of the trials and over the other: what
  /// a change of that row costs, rows compared. Empty where the adjoint did not reach the layer or nobody asked for
  /// rows; no part of the record, which holds the candidates made from it.
  std::array<std::vector<double>, 2> row_energies = {};
};

/// A model-local function and what it adds to a file, once, when any layer needs it.
struct FunctionSize {
  std::string name;
  std::int64_t bytes = 0;
};

/// What a written file weighs besides the layers, so that file sizes can be predicted without the model.
struct SizeFacts {
  std::int64_t base_bytes = 0;          ///< file without the quantizable weights
  std::int64_t fixed_bytes = 0;         ///< added once when any layer is quantized (metadata, imports); an upper bound
  std::vector<FunctionSize> functions;  ///< ordered by name
  std::int64_t quantizable_parameters = 0;
};

/// The processor of a profile that candidates were priced on; no part of the record either.
struct TimeFacts {
  std::string processor;               ///< empty: no times are known; "cpu:0 + cpu:1": divided among them
  std::int64_t float_nanoseconds = 0;  ///< one run of the network with every layer as it is
  std::int64_t base_nanoseconds = 0;   ///< what the candidates' times are added to
  double noise = 0;                    ///< relative spread of the same work's time, as the profile states it
  bool known() const { return !processor.empty(); }
};

/// How an output enters the damage.
struct MeasuredAs {
  std::string kind;   ///< as in OutputComparison
  double weight = 1;  ///< relative to the other outputs

  bool operator==(const MeasuredAs&) const = default;
};

/// How the adjoint's prices compare with reruns of the same layers, candidates and samples.
struct EngineAgreement {
  std::int64_t pairs = 0;       ///< layers x candidates that both engines priced
  double rank_correlation = 0;  ///< Spearman
  double median_ratio = 0;      ///< adjoint / rerun
};

/// Layer x candidate scores. The value `mpq analyze` writes; holds no times, so equal inputs give equal bytes.
struct Sensitivity {
  static constexpr int kSchemaVersion = 1;
  ModelFacts model;
  DataFacts data;
  AnalyzeSettings settings;
  std::optional<Shard> shard;            ///< of a part that merge_parts() has not joined to the others yet
  std::vector<std::string> outputs;      ///< the outputs the damage is measured on
  std::vector<MeasuredAs> measured_as;   ///< by output; empty where an older record does not say
  std::vector<LayerSensitivity> layers;  ///< quantizable layers, in the model's order
  std::vector<Layer> skipped;            ///< weights left alone, each with its reason
  SizeFacts size;
  TimeFacts time;
  std::int64_t trial_runs = 0;  ///< runs of a part of the network
  double rank_stability = 0;    ///< Spearman correlation of the layer ranking between two halves of the trials
  bool settled = false;         ///< the trials told the order of the layers apart, as far as it matters
  std::optional<EngineAgreement> agreement;  ///< where reruns were made beside the adjoint
};

/// Throws Error{kInvalidInput} naming `where` when the text is no valid record of this schema version.
std::string to_json(const Sensitivity& value);
Sensitivity sensitivity_from_json(const std::string& text, const std::string& where);

}  // namespace mpq
