#include "equalized_inputs.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "mpq/allocate.h"
#include "mpq/error.h"

#include "encode/integer_site.h"
#include "encode/plan_check.h"
#include "graph/cut.h"
#include "graph/scale_inputs.h"
#include "quantize/equalization.h"
#include "runtime/activations.h"
#include "support/parallel.h"
#include "support/text.h"

namespace mpq {

namespace {

/// Products that read one input, and their weights' grids.
struct Readers {
  std::vector<std::size_t> layers;
  std::vector<double> steps;  ///< on either side of zero
};

/// The products that will run on integers made as they come, by what they read.
std::map<std::string, Readers> readers_of(const Writing& writing, const Plan& plan) {
  const Model& model = writing.integer_model;
  const std::vector<encode::IntegerSite> sites = encode::integer_sites(model);
  const std::vector<std::size_t> layers = encode::quantizable_layers(model);
  const std::vector<Candidate> candidates = encode::planned_candidates(model, plan);
  std::map<std::size_t, Candidate> planned;
  for (std::size_t i = 0; i < layers.size(); ++i) planned.emplace(layers[i], candidates[i]);
  std::map<std::string, Readers> result;
  for (const auto& [input, reading] : writing.integers.dynamic_inputs()) {
    for (const std::size_t layer : reading.layers) {
      const Candidate& candidate = planned.at(layer);
      if (!encode::takes_dynamic_input(model.layers()[layer], sites[layer], candidate)) continue;
      result[input].layers.push_back(layer);
      result[input].steps.push_back(static_cast<double>((1 << (candidate.bits - 1)) - 1));
    }
  }
  return result;
}

using Seen = std::map<std::string, quant::InputExtremes>;

Seen extremes_of(const Writing& writing, const std::map<std::string, Readers>& readers) {
  constexpr std::size_t kSamples = 32;
  const std::size_t runs = std::min(kSamples, writing.calibration.size());
  const graph::RunForm form = graph::run_form(writing.integer_model);
  std::vector<std::string> names;
  Seen seen;
  for (const auto& [name, reading] : readers) {
    names.push_back(name);
    const Eigen::Index channels = writing.integers.dynamic_inputs().at(name).channels;
    seen[name] = quant::InputExtremes(static_cast<Eigen::Index>(runs), channels);
  }
  const runtime::Activations activations(form, names);
  for (std::size_t run = 0; run < runs; ++run) {
    const Feed values = activations.of(writing.calibration[run]);
    for (auto& [name, extremes] : seen) {
      const Tensor& value = values.at(name);  // [..., channels]
      const Eigen::Index channels = extremes.above.cols();
      extremes.add(static_cast<Eigen::Index>(run),
                   Eigen::Map<const quant::Matrix>(value.as<float>().data(), value.size() / channels, channels));
    }
  }
  return seen;
}

/// [outputs, channels] of a MatMul's weight [channels, outputs].
quant::Matrix weight_of(const Model& model, std::size_t layer) {
  const Layer& facts = model.layers()[layer];
  const auto view = quant::MatrixView::columns_first(static_cast<std::size_t>(facts.shape[0]),
                                                     static_cast<std::size_t>(facts.shape[1]));
  return quant::group_matrix<float>(model.weight(layer), view, 0);
}

/// Inputs that make little of the error are left as they are: at few bits the weights make it all, and what rounds them
/// to second order knows more of it than the formula does.
std::vector<graph::InputScaling> scalings_for(const Writing& writing, const std::map<std::string, Readers>& readers) {
  const Model& model = writing.integer_model;
  const Seen seen = extremes_of(writing, readers);
  std::vector<graph::InputScaling> result;
  for (const auto& [name, reading] : readers) result.push_back({name, {}, {}});
  parallel_for(result.size(), writing.options.quantize.threads, [&](std::size_t i, int) {
    const Readers& reading = readers.at(result[i].input);
    std::vector<quant::InputReader> weights;
    for (std::size_t r = 0; r < reading.layers.size(); ++r) {
      weights.push_back({weight_of(model, reading.layers[r]), reading.steps[r]});
      result[i].weights.push_back(model.layers()[reading.layers[r]].weight);
    }
    constexpr double kLeastShare = .1;
    quant::Equalization found = quant::equalize(seen.at(result[i].input), weights);
    if (found.input_share > kLeastShare) result[i].factors = std::move(found.factors);
  });
  std::erase_if(result, [](const graph::InputScaling& scaling) { return scaling.factors.empty(); });
  return result;
}

/// How many bytes equalizing adds to a file at most.
std::int64_t equalization_bytes(const Writing& writing) {
  if (!has_ranges(writing.calibration)) return 0;
  std::int64_t bytes = 0;
  for (const auto& [name, input] : writing.integers.dynamic_inputs()) bytes += graph::scaling_bytes(input.channels);
  return bytes;
}

}  // namespace

EqualizedInputs::EqualizedInputs(Model model, const Writing& original)
    : model_(std::move(model)),
      options_(original.options),
      quantizer_(model_, original.calibration, original.options.verify),
      integers_(model_, original.calibration, original.integers.options()),
      writing_{model_, model_, quantizer_, integers_, original.calibration, options_, original.observer} {
  const std::string& chosen = original.quantizer.chosen();
  if (options_.quantize.rounding == "auto" && !chosen.empty()) options_.quantize.rounding = chosen;
}

std::unique_ptr<EqualizedInputs> EqualizedInputs::make(const Writing& original, const Plan& plan) {
  constexpr double kWorthIt = .9;  // the division takes time, too
  if (!has_ranges(original.calibration) || !original.integers.tries_grids() || original.options.profile) return nullptr;
  const std::map<std::string, Readers> readers = readers_of(original, plan);
  if (readers.empty()) return nullptr;
  std::vector<graph::InputScaling> scalings = scalings_for(original, readers);
  if (scalings.empty()) return nullptr;
  graph::ScaledInputs all = graph::scale_inputs(original.integer_model, scalings);
  std::unique_ptr<EqualizedInputs> result(new EqualizedInputs(std::move(all.model), original));
  const auto& before = original.integers.measured_inputs(original.observer);
  const auto& after = result->integers_.measured_inputs(original.observer);
  std::vector<graph::InputScaling> kept;
  for (std::size_t i = 0; i < scalings.size(); ++i) {
    const double plain = *before.at(scalings[i].input).damage;
    const auto equalized = after.find(all.scaled[i]);
    if (equalized == after.end()) continue;
    original.observer.note(scalings[i].input + ": rounded as it comes costs " + format_number(plain) +
                           ", equalized before " + format_number(*equalized->second.damage));
    if (*equalized->second.damage < kWorthIt * plain) kept.push_back(std::move(scalings[i]));
  }
  if (kept.empty()) return nullptr;
  if (kept.size() == scalings.size()) return result;
  return std::unique_ptr<EqualizedInputs>(
      new EqualizedInputs(graph::scale_inputs(original.integer_model, kept).model, original));
}

Budget with_room_for_equalization(const Writing& writing, const Sensitivity& scores, const Budget& budget) {
  const AllocateOptions& options = writing.options.allocate;
  const BudgetLimit limit = resolve(budget, scores);
  const std::int64_t bytes = options.compute == "float" || !limit.counts_file ? 0 : equalization_bytes(writing);
  if (bytes == 0) return budget;
  const Budget less{Budget::Unit::kBytes, static_cast<double>(limit.limit_bytes - bytes), budget.text};
  try {
    allocate(scores, less, options);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInfeasible) throw;
    return budget;
  }
  return less;
}

}  // namespace mpq
