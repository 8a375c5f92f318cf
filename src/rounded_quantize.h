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
#include "encode/nearest_grids.h"
#include "graph/integer_ready.h"

namespace mpq {

/// Writes plans with weights rounded as QuantizeOptions::rounding says. Layers rounded for one plan are kept for the
/// next, since a plan is written in two run forms, and so are weights rounded to nearest.
class RoundedQuantizer {
 public:
  /// Refers to the model and the samples. `judge`: how styles of rounding are compared. `ready`, where given: what
  /// plans with integer kernels are written into; their weights are rounded in the model itself all the same.
  RoundedQuantizer(const Model& model, const Samples& calibration, VerifyOptions judge = {},
                   const graph::IntegerReady* ready = nullptr)
      : model_(model),
        calibration_(calibration),
        judge_(std::move(judge)),
        ready_(ready == nullptr || ready->is_original ? nullptr : ready),
        nearest_(model) {}

  QuantizedModel write(const Plan& plan, const encode::Forms& forms, const QuantizeOptions& options,
                       Observer& observer);

  /// The style that won last; empty where none competed.
  const std::string& chosen() const { return rounding_; }

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

  using Find = decltype(encode::RoundedWeights::find);
  /// Weights rounded to nearest for this plan; they are found anew each time where memory is limited.
  Find nearest_for(const Plan& plan, const QuantizeOptions& options) const;
  encode::RoundedWeights weights_of(const Requests& requests, const calibrate::RoundedNetwork& network,
                                    Find nearest) const;
  /// The same for the model that is ready for integer kernels.
  encode::RoundedWeights ready_weights_of(const Requests& requests, const calibrate::RoundedNetwork& network) const;
  bool into_ready(const encode::Forms& forms) const {
    return ready_ != nullptr && forms.run_form == encode::RunForm::kInteger;
  }

  const Model& model_;
  const Samples& calibration_;
  VerifyOptions judge_;
  const graph::IntegerReady* ready_;
  mutable encode::NearestGrids nearest_;
  std::unique_ptr<calibrate::WeightRounder> rounder_;
  // What was rounded last.
  Requests requests_;
  std::string method_, scale_fit_;
  calibrate::RoundedNetwork network_;
  std::string rounding_;  ///< of the network: "data-free", "second-order" or "sequential"
};

}  // namespace mpq
