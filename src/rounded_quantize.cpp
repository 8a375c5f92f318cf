#include "rounded_quantize.h"

#include <limits>

#include "encode/encode.h"
#include "encode/plan_check.h"
#include "graph/memory_plan.h"
#include "graph/replace_numbers.h"
#include "support/text.h"

namespace mpq {

namespace {

using calibrate::RoundedNetwork;
using calibrate::RoundingStyle;

/// What competes.
std::vector<RoundingStyle> styles_of(const std::string& method) {
  if (method == "data-free") return {RoundingStyle::kDataFree};
  std::vector<RoundingStyle> styles;
  if (method != "sequential") styles.push_back(RoundingStyle::kSecondOrder);
  if (method != "second-order") styles.push_back(RoundingStyle::kSequential);
  return styles;
}

std::string rounding_of(RoundingStyle style) {
  if (style == RoundingStyle::kDataFree) return "data-free";
  return style == RoundingStyle::kSequential ? "sequential" : "second-order";
}

}  // namespace

std::string RoundedQuantizer::method(const Plan& plan, const QuantizeOptions& options) const {
  if (calibration_.size() == 0) return "nearest";
  if (options.rounding != "auto") return options.rounding;
  if (plan.scale_fit == "minmax" || plan.rounding == "nearest") return "nearest";
  // Weights fitted to made-up inputs alone would move away from what real ones need.
  return calibration_.facts().synthetic ? "data-free" : plan.rounding;
}

RoundedQuantizer::Find RoundedQuantizer::nearest_for(const Plan& plan, const QuantizeOptions& options) const {
  if (options.memory_limit_bytes > 0) return nullptr;
  return [this, fit = encode::scale_fit_of(plan), threads = options.threads](std::size_t layer,
                                                                             const Candidate& candidate) {
    return std::optional(nearest_.of(layer, candidate, fit, threads));
  };
}

encode::RoundedWeights RoundedQuantizer::weights_of(const Requests& requests, const RoundedNetwork& network,
                                                    Find nearest) const {
  encode::RoundedWeights rounded;
  rounded.find = [&network, nearest = std::move(nearest)](std::size_t layer, const Candidate& candidate) {
    std::optional<quant::QuantizedTensor> numbers = network.numbers(layer, candidate);
    return numbers || !nearest ? numbers : nearest(layer, candidate);
  };
  for (const auto& [layer, candidate] : requests) {
    const quant::LayerRounding* found = network.find(layer, candidate);
    if (found == nullptr) continue;
    auto [name, numbers] = rounder_->corrected_bias(layer, *found);
    if (!name.empty()) rounded.constants.emplace(std::move(name), std::move(numbers));
  }
  return rounded;
}

/// A convolution that took in what stood behind it has the same integers; its scales and the correction of its bias
/// are multiplied as its weights were.
encode::RoundedWeights RoundedQuantizer::ready_weights_of(const Requests& requests,
                                                          const RoundedNetwork& network) const {
  encode::RoundedWeights rounded;
  rounded.find = [this, &network](std::size_t layer, const Candidate& candidate) {
    auto numbers = network.numbers(ready_->originals[layer], candidate);
    const auto fold = ready_->folds.find(layer);
    if (!numbers || fold == ready_->folds.end()) return numbers;
    std::vector<float> scales = quant::scales_of(*numbers);
    const std::size_t per_channel = scales.size() / fold->second.factors.size();
    for (std::size_t i = 0; i < scales.size(); ++i) scales[i] *= fold->second.factors[i / per_channel];
    quant::set_scales(scales, *numbers);
    return numbers;
  };
  std::map<std::size_t, const graph::ChannelFold*> folds;  // by layer of the original
  for (const auto& [layer, fold] : ready_->folds) folds.emplace(ready_->originals[layer], &fold);
  const Model::Impl& impl = ready_->model.impl();
  for (const auto& [layer, candidate] : requests) {
    const quant::LayerRounding* found = network.find(layer, candidate);
    if (found == nullptr || found->mean_error.empty()) continue;
    const auto fold = folds.find(layer);
    if (fold == folds.end()) {
      rounded.constants.insert(rounder_->corrected_bias(layer, *found));
      continue;
    }
    std::vector<float> bias = graph::read_numbers(impl.proto, *impl.store, fold->second->bias);
    for (std::size_t c = 0; c < bias.size(); ++c) bias[c] -= fold->second->factors[c] * found->mean_error[c];
    rounded.constants.emplace(fold->second->bias, std::move(bias));
  }
  return rounded;
}

QuantizedModel RoundedQuantizer::written(const Plan& plan, const Requests& requests, const RoundedNetwork& network,
                                         const std::string& rounding, const encode::Forms& forms,
                                         const QuantizeOptions& options, Observer& observer) const {
  const bool ready = into_ready(forms);
  return encode::quantize_rounded(
      ready ? ready_->model : model_, plan,
      ready ? ready_weights_of(requests, network) : weights_of(requests, network, nearest_for(plan, options)), rounding,
      forms, options, observer);
}

/// In float arithmetic: integer kernels that round the activations too come on top of every style alike.
Verification RoundedQuantizer::trial_damage(const Verifier& judge, const Plan& plan, const Requests& requests,
                                            const RoundedNetwork& trial, const QuantizeOptions& options,
                                            Observer& observer) const {
  QuantizeOptions floating = options;
  floating.compute = "float";
  const QuantizedModel model = written(plan, requests, trial, "", encode::forms_of(floating), floating, observer);
  return judge.verify(model.model(), {}, observer);
}

void RoundedQuantizer::round(const Plan& plan, const Requests& requests, const std::string& method,
                             const QuantizeOptions& options, Observer& observer) {
  if (requests == requests_ && method == method_ && plan.scale_fit == scale_fit_) return;
  const graph::MemoryPlan memory = graph::plan_memory(model_, options.memory_limit_bytes);
  if (!rounder_) {
    rounder_ = std::make_unique<calibrate::WeightRounder>(model_, calibration_, options.threads, observer, memory);
  }
  const quant::ScaleFit fit = encode::scale_fit_of(plan);
  double least = std::numeric_limits<double>::infinity();
  std::vector<RoundingStyle> styles = styles_of(method);
  if (calibration_.size() < 2) styles.resize(1);  // nothing is held out to judge them on
  if (memory.pieces && method != "data-free") styles = {RoundingStyle::kSecondOrder};
  const bool judged = styles.size() > 1;
  const Samples held_out = calibrate::held_out_of(calibration_);
  std::optional<Verifier> judge;
  if (judged) judge.emplace(model_, held_out, judge_, observer);
  network_ = RoundedNetwork();
  for (const RoundingStyle style : styles) {
    calibrate::WeightRounder::Networks networks = rounder_->round(requests, style, fit);
    if (networks.final.empty()) break;
    double damage = 0;
    if (judged) {
      const Verification trial = trial_damage(*judge, plan, requests, networks.trial, options, observer);
      damage = trial.damage;
      observer.note("rounded " + rounding_of(style) + ": damage " + format_number(damage) + " +-" +
                    format_number(trial.damage_standard_error) + " on samples not fitted to");
    }
    if (!(damage < least)) continue;
    least = damage;
    network_ = std::move(networks.final);
    rounding_ = rounding_of(style);
  }
  requests_ = requests;
  method_ = method;
  scale_fit_ = plan.scale_fit;
}

QuantizedModel RoundedQuantizer::write(const Plan& plan, const encode::Forms& forms, const QuantizeOptions& options,
                                       Observer& observer) {
  options.validate();
  const std::string rounding = method(plan, options);
  const bool ready = into_ready(forms);
  const auto nearest = [&] {
    return encode::quantize_rounded(ready ? ready_->model : model_, plan,
                                    {ready ? nullptr : nearest_for(plan, options), {}}, "nearest", forms, options,
                                    observer);
  };
  if (rounding == "nearest") return nearest();
  const std::vector<std::size_t> layers = encode::quantizable_layers(model_);
  const std::vector<Candidate> candidates = encode::planned_candidates(model_, plan);
  Requests requests;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (candidates[i].has_scales()) requests.push_back({layers[i], candidates[i]});
  }
  round(plan, requests, rounding, options, observer);
  if (network_.empty()) return nearest();  // tables alone: the record shall say so
  return written(plan, requests, network_, rounding_, forms, options, observer);
}

QuantizedModel quantize(const Model& model, const Plan& plan, const Samples& calibration,
                        const QuantizeOptions& options, Observer& observer) {
  VerifyOptions judge;
  judge.threads = options.threads;
  return RoundedQuantizer(model, calibration, judge).write(plan, encode::forms_of(options), options, observer);
}

}  // namespace mpq
