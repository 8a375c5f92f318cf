#pragma once

#include <memory>
#include <optional>
#include <string>

#include "mpq/quantize.h"

#include "calibrate/weight_rounder.h"
#include "encode/encode.h"

namespace mpq {

/// Writes plans with weights rounded as QuantizeOptions::rounding says. Layers rounded for one plan are kept for the
/// next, since a budget may take several plans, each in two run forms.
class RoundedQuantizer {
 public:
  /// Refers to its arguments.
  RoundedQuantizer(const Model& model, const Samples& calibration) : model_(model), calibration_(calibration) {}

  QuantizedModel write(const Plan& plan, const encode::Forms& forms, const QuantizeOptions& options,
                       Observer& observer);

 private:
  /// "nearest", "second-order" or "sequential".
  std::string method(const Plan& plan, const QuantizeOptions& options) const;

  const Model& model_;
  const Samples& calibration_;
  std::unique_ptr<calibrate::WeightRounder> rounder_;
  std::string rounder_method_;
};

}  // namespace mpq
