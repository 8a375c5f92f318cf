#include "plan_writing.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "mpq/kernels.h"

#include "equalized_inputs.h"
#include "graph/memory_plan.h"

namespace mpq {

namespace {

bool planned_for_kernel(const WrittenLayer& layer) { return layer.run_form.find("kernel") != std::string::npos; }

/// Integer kernels pay where they run most of the arithmetic: at least half of the weights that are multiplied with
/// (a Gather only looks its table up). Told from the structure, not from times, so that equal inputs give equal models.
bool integer_kernels_pay(const Model& model, const QuantizedModel& quantized) {
  std::int64_t integer = 0, multiplied = 0;
  for (const Layer& layer : model.layers()) {
    if (!layer.quantizable() || layer.op == "Gather") continue;
    multiplied += layer.parameters;
    const auto written = std::find_if(quantized.layers().begin(), quantized.layers().end(),
                                      [&](const WrittenLayer& candidate) { return candidate.layer == layer.name; });
    const bool on_kernel = written != quantized.layers().end() && planned_for_kernel(*written);
    if (on_kernel) integer += layer.parameters;
  }
  return 2 * integer >= multiplied && integer > 0;
}

/// A written model and how ONNX Runtime runs it; nothing where no layer was planned for an integer kernel.
struct Landed {
  QuantizedModel model;
  KernelReport kernels;
};

Landed landed(QuantizedModel written) {
  const bool any = std::any_of(written.layers().begin(), written.layers().end(), planned_for_kernel);
  KernelReport kernels;
  if (any) kernels = inspect_kernels(written.model(), Samples({}, {}), {.threads = 1, .runs = 0});
  return {std::move(written), std::move(kernels)};
}

/// The kernel of a layer; null where it is not known.
const LayerKernel* kernel_of(const Layer& layer, const KernelReport& report) {
  const auto found = std::find_if(report.layers.begin(), report.layers.end(),
                                  [&](const LayerKernel& kernel) { return kernel.node == layer.uses[0].node; });
  return found == report.layers.end() ? nullptr : &*found;
}

/// Layers of a written model whose integer activations led to no integer kernel.
std::set<std::size_t> stranded_layers(const Model& model, const KernelReport& report, const encode::StaticForm& form,
                                      Observer& observer) {
  std::set<std::size_t> stranded;
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const Layer& layer = model.layers()[i];
    if (!layer.quantizable() || !form.runs(i)) continue;
    const LayerKernel* kernel = kernel_of(layer, report);
    if (kernel == nullptr || kernel->form == KernelForm::kInteger) continue;
    observer.note(layer.name + ": planned for an integer kernel, but ONNX Runtime " + report.runtime + " runs " +
                  (kernel->kernel.empty() ? "no kernel that could be found" : kernel->kernel) + ", " +
                  to_string(kernel->form) + ". " + kernel->reason);
    stranded.insert(i);
  }
  return stranded;
}

using FoldedLayers = std::map<std::size_t, std::string>;  // and why

/// Layers planned for an integer kernel whose weights the runtime would turn to floats again at every run.
FoldedLayers dequantized_layers(const Model& model, const Landed& written, Observer& observer) {
  std::set<std::string> planned;
  for (const WrittenLayer& layer : written.model.layers()) {
    if (planned_for_kernel(layer)) planned.insert(layer.layer);
  }
  FoldedLayers folded;
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const Layer& layer = model.layers()[i];
    const LayerKernel* kernel = planned.count(layer.name) > 0 ? kernel_of(layer, written.kernels) : nullptr;
    if (kernel == nullptr || kernel->form != KernelForm::kDequantized) continue;
    folded[i] = "ONNX Runtime " + written.kernels.runtime + " runs it as " + kernel->kernel + ", on floats";
    observer.note(layer.name + ": folded to float. " + folded[i] + ".");
  }
  return folded;
}

/// Integer kernels where they exist, with these integer activations. What was written is looked at as ONNX Runtime
/// optimizes it: weights that it would dequantize at every run are written so that it folds them, once.
Landed write_landed(const Writing& writing, const Plan& plan, const encode::Forms& forms) {
  const auto write = [&](const FoldedLayers& folded) {
    encode::Forms with_folded = forms;
    with_folded.folded = folded;
    return landed(write_plan(writing.quantizer, plan, "int8", writing.options, writing.observer, with_folded));
  };
  Landed written = write({});
  const FoldedLayers folded = dequantized_layers(writing.integer_model, written, writing.observer);
  return folded.empty() ? std::move(written) : write(folded);
}

/// Integer kernels everywhere they exist, with integer activations while these cost at most `most_damage`. A layer that
/// did not land on its kernel gets another form.
QuantizedModel write_integers(const Writing& writing, const Plan& plan, double most_damage) {
  std::set<std::size_t> barred;
  encode::Forms forms;
  forms.dynamic = writing.integers.dynamic_products(most_damage, writing.observer);
  constexpr int kRounds = 3;
  for (int round = 0; has_ranges(writing.calibration) && round < kRounds; ++round) {
    const auto form = writing.integers.form(plan, barred, most_damage, writing.observer);
    if (form == nullptr) break;
    forms.integers = form;
    Landed written = write_landed(writing, plan, forms);
    const std::set<std::size_t> stranded =
        stranded_layers(writing.integer_model, written.kernels, *form, writing.observer);
    if (stranded.empty()) return std::move(written.model);
    barred.insert(stranded.begin(), stranded.end());
  }
  forms.integers = nullptr;
  return std::move(write_landed(writing, plan, forms).model);
}

/// Integer kernels that add no more damage than the budget itself costs, judged by `verifier`; nothing where they do
/// not pay. Where all of them cost more, the activations that cost most for the time they save go back to floats.
std::optional<QuantizedModel> harmless_integers(const Writing& writing, const Plan& plan, const Verifier& verifier,
                                                double with_floats) {
  constexpr int kRounds = 4;
  double allowed = with_floats;
  for (int round = 0; round < kRounds; ++round, allowed /= 3) {
    QuantizedModel integer = write_integers(writing, plan, allowed);
    if (!integer_kernels_pay(writing.model, integer)) return std::nullopt;
    const double with_integers = verifier.verify(integer.model(), {}, writing.observer).damage;
    const bool keep = with_integers - with_floats <= with_floats;
    writing.observer.note("integer kernels: damage " + std::to_string(with_integers) + ", float arithmetic " +
                          std::to_string(with_floats) + (keep ? "; integer kernels kept" : "; too much"));
    if (keep) return integer;
  }
  return std::nullopt;
}

/// `--compute auto`: integer kernels round the activations too. They are kept where they do little harm on calibration
/// samples; the evaluation data are never looked at. Equalized inputs lose least, so they come first.
QuantizedModel choose_run_form(const Writing& writing, const Plan& plan) {
  const auto& [model, integer_model, quantizer, integers, calibration, options, observer] = writing;
  QuantizedModel floating = write_plan(quantizer, plan, "float", options, observer);
  constexpr std::size_t kSamples = 16;
  const Samples judge = calibration.slice(0, std::min(kSamples, calibration.size()));
  const Verifier verifier(model, judge, options.verify, observer);
  const double with_floats = verifier.verify(floating.model(), {}, observer).damage;
  std::optional<QuantizedModel> kept;
  if (const auto equalized = EqualizedInputs::make(writing, plan)) {
    kept = harmless_integers(equalized->writing(), plan, verifier, with_floats);
  }
  if (!kept) kept = harmless_integers(writing, plan, verifier, with_floats);
  return kept ? *std::move(kept) : std::move(floating);
}

}  // namespace

bool has_ranges(const Samples& calibration) { return calibration.size() > 0 && !calibration.facts().synthetic; }

QuantizedModel write_plan(RoundedQuantizer& quantizer, Plan plan, const std::string& compute,
                          const PipelineOptions& options, Observer& observer, encode::Forms forms) {
  QuantizeOptions quantize_options = options.quantize;
  plan.compute = quantize_options.compute = compute;
  forms.run_form = encode::forms_of(quantize_options).run_form;
  return quantizer.write(plan, forms, quantize_options, observer);
}

QuantizedModel write_nearest(RoundedQuantizer& quantizer, Plan plan, const std::string& compute,
                             const PipelineOptions& options, Observer& observer, encode::Forms forms) {
  PipelineOptions nearest = options;
  nearest.quantize.rounding = "nearest";
  return write_plan(quantizer, std::move(plan), compute, nearest, observer, std::move(forms));
}

Verification measure(const Model& model, const QuantizedModel& quantized, const Samples& samples,
                     const PipelineOptions& options, const std::vector<std::int64_t>& labels, Observer& observer) {
  return verify(model, quantized.model(), samples, labels, options.verify, observer);
}

QuantizedModel write_as(const Writing& writing, const Plan& plan, const std::string& compute) {
  if (compute == "auto") return choose_run_form(writing, plan);
  // Which kernels a layer gets is seen on the whole model only.
  const bool pieces = graph::plan_memory(writing.model, writing.options.quantize.memory_limit_bytes).pieces;
  if (compute == "int8" && !pieces) {
    const auto equalized = EqualizedInputs::make(writing, plan);
    return write_integers(equalized ? equalized->writing() : writing, plan, std::numeric_limits<double>::infinity());
  }
  return write_plan(writing.quantizer, plan, compute, writing.options, writing.observer);
}

}  // namespace mpq
