#include "rounded_quantize.h"

#include <algorithm>

#include "encode/encode.h"
#include "encode/plan_check.h"

namespace mpq {

std::string RoundedQuantizer::method(const Plan& plan, const QuantizeOptions& options) const {
  if (calibration_.size() == 0) return "nearest";
  if (options.rounding != "auto") return options.rounding;
  // Statistics of made-up inputs would move weights away from what real inputs need.
  if (calibration_.facts().synthetic || plan.scale_fit == "minmax") return "nearest";
  return plan.rounding == "auto" ? "second-order" : plan.rounding;
}

QuantizedModel RoundedQuantizer::write(const Plan& plan, const QuantizeOptions& options, Observer& observer) {
  options.validate();
  const std::string rounding = method(plan, options);
  if (rounding == "nearest") return quantize(model_, plan, options, observer);
  const std::vector<std::size_t> layers = encode::quantizable_layers(model_);
  const std::vector<Candidate> candidates = encode::planned_candidates(model_, plan);
  std::vector<calibrate::RoundingRequest> requests;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (candidates[i].has_scales()) requests.push_back({layers[i], candidates[i]});
  }
  if (!rounder_ || rounder_method_ != rounding) {
    rounder_method_ = rounding;
    rounder_ = std::make_unique<calibrate::WeightRounder>(model_, calibration_, rounding == "sequential",
                                                          options.threads, observer);
  }
  rounder_->round(requests, plan.scale_fit == "minmax" ? quant::ScaleFit::kMinMax : quant::ScaleFit::kMse);
  const bool any = std::any_of(requests.begin(), requests.end(), [&](const calibrate::RoundingRequest& request) {
    return rounder_->find(request.layer, request.candidate) != nullptr;
  });
  if (!any) return quantize(model_, plan, options, observer);  // bodies of If, tables: the record shall say so
  encode::RoundedWeights rounded;
  rounded.find = [&](std::size_t layer, const Candidate& candidate) {
    const quant::LayerRounding* found = rounder_->find(layer, candidate);
    return found == nullptr ? nullptr : &found->numbers;
  };
  for (const auto& [layer, candidate] : requests) {
    auto [name, numbers] = rounder_->corrected_bias(layer, candidate);
    if (!name.empty()) rounded.constants.emplace(std::move(name), std::move(numbers));
  }
  return encode::quantize_rounded(model_, plan, rounded, rounding, options, observer);
}

QuantizedModel quantize(const Model& model, const Plan& plan, const Samples& calibration,
                        const QuantizeOptions& options, Observer& observer) {
  return RoundedQuantizer(model, calibration).write(plan, options, observer);
}

}  // namespace mpq
