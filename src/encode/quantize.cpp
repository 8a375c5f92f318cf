#include "mpq/quantize.h"

#include "mpq/error.h"

#include "encode/encode.h"
#include "encode/plan_check.h"
#include "graph/memory_plan.h"
#include "quantize/quantize_weight.h"

namespace mpq {

quant::ScaleFit encode::scale_fit_of(const Plan& plan) {
  if (plan.scale_fit == "mse") return quant::ScaleFit::kMse;
  if (plan.scale_fit == "minmax") return quant::ScaleFit::kMinMax;
  throw Error(ErrorCode::kInvalidInput,
              "The plan's scale_fit is '" + plan.scale_fit + "', where 'mse' or 'minmax' is expected.");
}

void QuantizeOptions::validate() const {
  if (compute != "float" && compute != "int8") {
    throw Error(ErrorCode::kUsage, "Quantized layers run as 'float' or 'int8', not as '" + compute + "'.", "compute");
  }
  if (rounding != "auto" && rounding != "nearest" && rounding != "data-free" && rounding != "second-order" &&
      rounding != "sequential") {
    throw Error(
        ErrorCode::kUsage,
        "Weights are rounded 'auto', 'nearest', 'data-free', 'second-order' or 'sequential', not '" + rounding + "'.",
        "rounding");
  }
  if (memory_limit_bytes < 0) {
    throw Error(ErrorCode::kUsage, "The memory limit cannot be negative.", "--memory-limit");
  }
  if (threads < 0) {
    throw Error(ErrorCode::kUsage, "The number of threads is " + std::to_string(threads) + "; it cannot be negative.",
                "threads", "Use 0 for all cores.");
  }
}

QuantizedModel encode::quantize_rounded(const Model& model, const Plan& plan, const RoundedWeights& rounded,
                                        const std::string& rounding, const Forms& forms, const QuantizeOptions& options,
                                        Observer& observer) {
  options.validate();
  const quant::ScaleFit fit = scale_fit_of(plan);
  const std::vector<std::size_t> layers = encode::quantizable_layers(model);
  const std::vector<Candidate> candidates = encode::planned_candidates(model, plan);
  std::vector<Candidate> by_index(model.layers().size());
  double total = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    by_index[layers[i]] = candidates[i];
    if (candidates[i].has_scales()) total += static_cast<double>(model.layers()[layers[i]].parameters);
  }
  double done = 0;
  const auto quantized = [&](std::size_t index) {
    const Layer& layer = model.layers()[index];
    observer.progress("quantize", done, total, layer.name);
    if (observer.cancelled()) throw Error(ErrorCode::kInterrupted, "Interrupted while the weights were quantized.");
    done += static_cast<double>(layer.parameters);
    if (auto ready = rounded.find ? rounded.find(index, by_index[index]) : std::nullopt) return *std::move(ready);
    return quant::quantize_weight(model.weight(index), layer, by_index[index], fit, options.threads);
  };
  Plan written = plan;
  written.rounding = rounding;
  Forms within = forms;
  within.to_disk = graph::plan_memory(model, options.memory_limit_bytes).pieces;
  QuantizedModel result = encode::encode(model, written, within, quantized, rounded.constants);
  observer.progress("quantize", total, total, "");
  return result;
}

encode::Forms encode::forms_of(const QuantizeOptions& options) {
  options.validate();
  return {options.compute == "float" ? RunForm::kFloat : RunForm::kInteger, nullptr, {}, false};
}

QuantizedModel quantize(const Model& model, const Plan& plan, const QuantizeOptions& options, Observer& observer) {
  return encode::quantize_rounded(model, plan, {}, "nearest", encode::forms_of(options), options, observer);
}

}  // namespace mpq
