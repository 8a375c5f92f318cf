#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mpq/budget.h"
#include "mpq/sensitivity.h"

namespace mpq {

struct PlanEntry {
  std::string layer;
  Candidate candidate;
  std::int64_t parameters = 0;
  std::int64_t stored_bytes = 0;
  std::int64_t file_bytes = 0;
  double damage = 0;  ///< predicted, of this layer alone
  double standard_error = 0;
  std::string reason;  ///< "allocated", "override --layer", "kept by --keep", ...
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
  std::string rounding =
      "auto";  ///< "nearest" | "second-order" | "sequential" | "auto": left to QuantizeOptions::rounding
  std::string compute = "auto";    ///< "float" | "int8" | "auto"
  std::vector<PlanEntry> entries;  ///< in the model's order
};

std::string to_json(const Plan& value);
Plan plan_from_json(const std::string& text, const std::string& where);

}  // namespace mpq
