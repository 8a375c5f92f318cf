#include "rounded_quantize.h"

#include "encode/encode.h"
#include "encode/plan_check.h"

namespace mpq {

bool RoundedQuantizer::second_order(const Plan& plan, const std::string& rounding) const {
  if (rounding != "auto") return rounding == "second-order";
  // Statistics of made-up inputs would move weights away from what real inputs need.
  return !calibration_.facts().synthetic && plan.scale_fit != "minmax" && plan.rounding != "nearest";
}

QuantizedModel RoundedQuantizer::write(const Plan& plan, const QuantizeOptions& options, Observer& observer) {
  options.validate();
  if (calibration_.size() == 0 || !second_order(plan, options.rounding)) {
    return quantize(model_, plan, options, observer);
  }
  const std::vector<std::size_t> layers = encode::quantizable_layers(model_);
  const std::vector<Candidate> candidates = encode::planned_candidates(model_, plan);
  std::vector<calibrate::RoundingRequest> requests;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (candidates[i].form == "grid") requests.push_back({layers[i], candidates[i]});
  }
  if (!rounder_) {
    rounder_ = std::make_unique<calibrate::WeightRounder>(model_, calibration_, options.threads, observer);
  }
  rounder_->round(requests, plan.scale_fit == "minmax" ? quant::ScaleFit::kMinMax : quant::ScaleFit::kMse);
  encode::RoundedWeights rounded;
  rounded.find = [&](std::size_t layer, const Candidate& candidate) {
    const quant::LayerRounding* rounding = rounder_->find(layer, candidate);
    return rounding == nullptr ? nullptr : &rounding->numbers;
  };
  for (const auto& [layer, candidate] : requests) {
    auto [name, numbers] = rounder_->corrected_bias(layer, candidate);
    if (!name.empty()) rounded.constants.emplace(std::move(name), std::move(numbers));
  }
  return encode::quantize_rounded(model_, plan, rounded, "second-order", options, observer);
}

QuantizedModel quantize(const Model& model, const Plan& plan, const Samples& calibration,
                        const QuantizeOptions& options, Observer& observer) {
  return RoundedQuantizer(model, calibration).write(plan, options, observer);
}

}  // namespace mpq
