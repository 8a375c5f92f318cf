#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mpq/model.h"
#include "mpq/observer.h"
#include "mpq/output_role.h"
#include "mpq/samples.h"

namespace mpq {

namespace judge {
struct ReferencePass;
}

/// Damage of one output over all samples. Figures that make no sense for an output are absent.
struct OutputComparison {
  std::string name;
  std::string kind;         ///< "logits", "probabilities", "sigmoid", "tensor", "labels"
  double relative_mse = 0;  ///< sum (y - y')^2 / sum y^2
  double sqnr_db = 0;       ///< -10 log10(relative_mse), at most 300
  double cosine = 0;        ///< mean over samples
  double max_abs = 0;
  std::optional<double> kl;  ///< mean over rows, nats
  std::optional<double> top1_agreement;
  std::optional<double> top1_low, top1_high;  ///< 95 % Wilson interval
  std::int64_t rows = 0;                      ///< over which kl and top-1 are means
};

/// Share of samples with the right label, before and after.
struct AccuracyComparison {
  double reference = 0;
  double quantized = 0;
  std::int64_t samples = 0;
  double mcnemar_p = 1;  ///< exact two-sided McNemar test
};

struct Verification {
  DataFacts data;
  std::vector<OutputComparison> outputs;
  std::optional<AccuracyComparison> accuracy;
  double damage = 0;  ///< the plan's metric, measured: comparable to Plan::predicted_damage
  double damage_standard_error = 0;
  std::string metric;
};

struct VerifyOptions {
  std::string metric = "auto";  ///< as in AnalyzeOptions
  std::string outputs_glob;
  std::vector<OutputRole> output_roles;
  int threads = 0;
  /// Of the whole process; 0 = half of the machine's memory. Models that would take more run piece by piece.
  std::int64_t memory_limit_bytes = 0;
  void validate() const;
};

/// Compares models with one that is run on every sample just once, the reference.
class Verifier {
 public:
  /// Refers to all of its arguments but the options. Throws Error{kInvalidInput} without samples, or when the reference
  /// does not run on one; Error{kUsage} when nothing matches an option.
  Verifier(const Model& reference, const Samples& samples, const VerifyOptions& options = {},
           Observer& observer = silent_observer());
  ~Verifier();
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  /// As mpq::verify, for one model after another.
  Verification verify(const Model& quantized, const std::vector<std::int64_t>& labels = {},
                      Observer& observer = silent_observer()) const;

 private:
  std::unique_ptr<const judge::ReferencePass> reference_;
};

/// Runs both models on every sample and compares their outputs by name (by position where names differ).
/// `labels`: true class of every sample for the first classifying output; may be empty.
/// Throws Error{kInvalidInput} when the models' outputs cannot be compared or a model does not run.
Verification verify(const Model& reference, const Model& quantized, const Samples& samples,
                    const std::vector<std::int64_t>& labels = {}, const VerifyOptions& options = {},
                    Observer& observer = silent_observer());

}  // namespace mpq
