#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mpq/budget.h"
#include "mpq/sensitivity.h"

namespace mpq {

/// What a plan takes on a processor, by a profile.
struct PlanTime {
  std::string processor;
  std::string budget;            ///< as requested, "8ms"; empty when the time was not limited
  double limit_seconds = 0;      ///< the budget; 0 when there is none
  double predicted_seconds = 0;  ///< one run of the network
  double float_seconds = 0;      ///< the same with every layer as it is, as measured
  double fastest_seconds = 0;    ///< what the fastest plan within the budget of the size would take
  double noise = 0;              ///< relative spread of the same work's time
};

struct PlanEntry {
  std::string layer;
  Candidate candidate;
  std::int64_t parameters = 0;
  std::int64_t stored_bytes = 0;
  std::int64_t file_bytes = 0;
  double damage = 0;  ///< predicted, of this layer alone
  double standard_error = 0;
  std::string reason;  ///< "allocated", "override --layer", "kept by --keep", ...
  double seconds = 0;  ///< with Plan::time: what the choice adds to the time over float; below 0 where it is faster
};

/// Which candidate each layer gets under one budget. The value `mpq plan` writes.
struct Plan {
  static constexpr int kSchemaVersion = 1;
  ModelFacts model;
  std::string budget;        ///< as requested
  bool counts_file = false;  ///< the limit is on the file's bytes, not on the stored bytes of the weights
  std::int64_t limit_bytes = 0;
  std::int64_t stored_bytes = 0;  ///< of the quantizable weights
  std::int64_t file_bytes = 0;    ///< of the whole written model
  std::int64_t parameters = 0;    ///< quantizable
  double bits_per_weight = 0;     ///< 8 * stored_bytes / parameters
  double predicted_damage = 0;    ///< sum over layers
  double standard_error = 0;      ///< of the sum, layers independent
  double lower_bound = 0;         ///< damage of the linear relaxation under the same budget
  double optimality_gap = 0;      ///< (predicted - lower_bound) / predicted; 0 when predicted is 0
  bool uniform = false;
  std::string scale_fit = "mse";  ///< taken over from the analysis
  bool portable = false;          ///< taken over from the analysis: AnalyzeOptions::portable
  std::string rounding =
      "auto";  ///< "nearest" | "data-free" | "second-order" | "sequential" | "auto": left to QuantizeOptions::rounding
  std::string compute = "auto";    ///< "float" | "int8" | "auto"
  std::optional<PlanTime> time;    ///< where a profile told
  std::vector<PlanEntry> entries;  ///< in the model's order
};

std::string to_json(const Plan& value);
Plan plan_from_json(const std::string& text, const std::string& where);

}  // namespace mpq
