#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mpq/quantize.h"
#include "mpq/verify.h"

#include "calibrate/weight_rounder.h"
#include "encode/encode.h"

namespace mpq {

/// Writes plans with weights rounded as QuantizeOptions::rounding says. Layers rounded for one plan are kept for the
/// next, since a plan is written in two run forms.
class RoundedQuantizer {
 public:
  /// Refers to the model and the samples. `judge`: how styles of rounding are compared.
  RoundedQuantizer(const Model& model, const Samples& calibration, VerifyOptions judge = {})
      : model_(model), calibration_(calibration), judge_(std::move(judge)) {}

  QuantizedModel write(const Plan& plan, const encode::Forms& forms, const QuantizeOptions& options,
                       Observer& observer);

 private:
  using Requests = std::vector<calibrate::RoundingRequest>;
  /// "nearest", "data-free", "second-order", "sequential" or "auto": what competes.
  std::string method(const Plan& plan, const QuantizeOptions& options) const;
  /// Rounds in every style that competes and keeps what damages the network least on samples the trial has not seen.
  void round(const Plan& plan, const Requests& requests, const std::string& method, const QuantizeOptions& options,
             Observer& observer);
  Verification trial_damage(const Verifier& judge, const Plan& plan, const Requests& requests,
                            const calibrate::RoundedNetwork& trial, const QuantizeOptions& options,
                            Observer& observer) const;
  QuantizedModel written(const Plan& plan, const Requests& requests, const calibrate::RoundedNetwork& network,
                         const std::string& rounding, const encode::Forms& forms, const QuantizeOptions& options,
                         Observer& observer) const;

  const Model& model_;
  const Samples& calibration_;
  VerifyOptions judge_;
  std::unique_ptr<calibrate::WeightRounder> rounder_;
  // What was rounded last.
  Requests requests_;
  std::string method_, scale_fit_;
  calibrate::RoundedNetwork network_;
  std::string rounding_;  ///< of the network: "data-free", "second-order" or "sequential"
};

}  // namespace mpq
