#include "mpq/pipeline.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <thread>

#include "mpq/error.h"
#include "mpq/memory.h"
#include "mpq/report.h"
#include "mpq/version.h"

#include "analyze/engine.h"
#include "encode/encode.h"
#include "encode/metadata.h"
#include "encode/plan_check.h"
#include "equalized_inputs.h"
#include "integer_plan.h"
#include "joint_plan.h"
#include "latency/latency_bench.h"
#include "latency/timed_writing.h"
#include "plan_writing.h"
#include "prices/row_prices.h"
#include "prices/trellis_prices.h"
#include "ready_model.h"
#include "rounded_quantize.h"
#include "runtime/session.h"
#include "smallest_model.h"
#include "support/processor.h"
#include "support/text.h"
#include "within_memory.h"
#include "written_warnings.h"

// load -> analyze -> allocate -> quantize -> encode -> verify -> report, as one story.

namespace mpq {

namespace {

using Timings = std::vector<std::pair<std::string, double>>;

/// Adds the wall time of `work` to `timings` under `stage` and returns what it returns.
template <typename Work>
auto timed(Timings& timings, const std::string& stage, const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  auto result = work();
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  timings.emplace_back(stage, spent.count());
  return result;
}

std::vector<std::vector<Candidate>> candidates_of(const Model& model, const AnalyzeOptions& options) {
  std::vector<std::vector<Candidate>> result;
  for (const Layer& layer : model.layers()) {
    if (!layer.quantizable()) continue;
    auto& candidates = result.emplace_back(encode::candidates_for(layer, options.bits, options.forms));
    if (options.store == "packed") continue;
    std::erase_if(candidates, [&](const Candidate& candidate) {
      return candidate.has_scales() && encode::stands_packed(candidate, model.opset());
    });
  }
  return result;
}

void warn_of_missing_int4(const Model& model, const AnalyzeOptions& options, Observer& observer) {
  const Candidate nibbles{4, "grid", 0};
  const bool wanted = std::find(options.bits.begin(), options.bits.end(), nibbles.bits) != options.bits.end();
  if (options.store == "packed" || !wanted || !encode::stands_packed(nibbles, model.opset())) return;
  observer.warn("A model of opset " + std::to_string(model.opset()) +
                    " cannot hold int4 tensors: a fast store has 8 bits, half floats and floats alone.",
                "Convert the model to opset 21, or leave out --store fast.");
}

encode::RunForm run_form_of(const std::string& compute) {
  return compute == "float" ? encode::RunForm::kFloat : encode::RunForm::kInteger;
}

/// Writes into every candidate what choosing it adds to a file of this run form. Layers that could not be analyzed stay
/// as they are, so their bytes belong to the file's base.
void fill_sizes(const Model& model, encode::RunForm run_form, Sensitivity& scores) {
  std::map<std::string, LayerSensitivity*> scored;
  for (LayerSensitivity& layer : scores.layers) scored.emplace(layer.layer.name, &layer);
  std::vector<LayerSensitivity*> layers;  // null: not analyzed
  std::vector<std::vector<Candidate>> candidates;
  for (const Layer& layer : model.layers()) {
    if (!layer.quantizable()) continue;
    const auto found = scored.find(layer.name);
    layers.push_back(found == scored.end() ? nullptr : found->second);
    auto& list = candidates.emplace_back();
    if (layers.back() == nullptr) {
      list.emplace_back();
      continue;
    }
    for (const CandidateScore& score : layers.back()->candidates) list.push_back(score.candidate);
  }
  const encode::SizeTable table = encode::size_table(model, candidates, run_form, scores.settings.portable);
  scores.size = table.facts;
  scores.size.quantizable_parameters = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i] == nullptr) {
      scores.size.base_bytes += table.file_bytes[i].front();
      continue;
    }
    scores.size.quantizable_parameters += layers[i]->layer.parameters;
    for (std::size_t c = 0; c < layers[i]->candidates.size(); ++c) {
      layers[i]->candidates[c].file_bytes = table.file_bytes[i][c];
      layers[i]->candidates[c].function = table.functions[i][c];
    }
  }
}

/// The data of a run: what the engine is fed with, and what the result is judged on.
struct RunData {
  Samples calibration;
  Samples evaluation;
};

RunData choose_data(const Model& model, const PipelineOptions& options) {
  if (options.calibration && options.evaluation) return {*options.calibration, *options.evaluation};
  if (options.calibration) {
    auto [fit, held_out] = options.calibration->hold_out_fifth();
    return {std::move(fit), std::move(held_out)};
  }
  // Synthetic calibration and evaluation samples come from different seeds.
  Samples calibration = Samples::synthetic(model, options.synthetic_samples, options.analyze.seed);
  if (options.evaluation) return {std::move(calibration), *options.evaluation};
  return {std::move(calibration), Samples::synthetic(model, options.synthetic_samples, options.analyze.seed + 1)};
}

std::vector<std::pair<std::string, std::string>> environment(int threads) {
  return {{"mpq", version()},
          {"onnxruntime", runtime::runtime_version()},
          {"processor", cpu_name()},
          {"cores", std::to_string(std::thread::hardware_concurrency())},
          {"threads", std::to_string(threads)}};
}

/// Judged on calibration samples, never on the evaluation data. In float arithmetic, because integer kernels that round
/// the activations too come on top of every plan alike; rounded to nearest, because weights fitted to these very
/// samples would look better on them than they are.
Plan choose_plan(const Writing& writing, const Sensitivity& scores, const Budget& budget) {
  const auto& [model, integer_model, quantizer, integers, calibration, options, observer] = writing;
  if (options.joint_samples == 0) return allocate(scores, budget, options.allocate);
  const Samples judge = calibration.slice(0, std::min(options.joint_samples, calibration.size()));
  const Verifier verifier(model, judge, options.verify, observer);
  const auto damage_together = [&](const Plan& plan) {
    const QuantizedModel written = write_nearest(writing.quantizer, plan, "float", writing.options, writing.observer);
    return verifier.verify(written.model(), {}, writing.observer).damage;
  };
  return best_plan_together(scores, budget, options.allocate, damage_together, observer);
}

/// Plans and writes until the real file meets the budget. The size table is an upper bound up to length prefixes and
/// to the run form chosen afterwards, so a second round is rare and a third should not happen.
QuantizedModel meet_budget(const Writing& writing, const Sensitivity& scores, const Budget& budget) {
  const auto& [model, integer_model, quantizer, integers, calibration, options, observer] = writing;
  Budget tightened = with_room_for_equalization(writing, scores, budget);
  for (int round = 0; round < 4; ++round) {
    Plan plan = choose_plan(writing, scores, tightened);
    const BudgetLimit limit = resolve(budget, scores);
    plan.budget = budget.text;
    plan.limit_bytes = limit.limit_bytes;
    const std::string& compute = options.allocate.compute;
    QuantizedModel written = write_as(writing, plan, compute);
    if (!limit.counts_file || written.bytes() <= limit.limit_bytes) return written;
    const std::int64_t over = written.bytes() - limit.limit_bytes;
    const std::int64_t planned = resolve(tightened, scores).limit_bytes;
    tightened = Budget{Budget::Unit::kBytes, static_cast<double>(planned - over), budget.text};
  }
  throw Error(ErrorCode::kInternal, "The written model stayed above the budget after four plans.", budget.text,
              "Please report this with the model's `mpq inspect --json`.");
}

/// The same budget spent on one width everywhere, on the same samples; nothing where it does not allow any. In the same
/// arithmetic, except that it keeps float activations where `--compute auto` chose integer ones for some.
std::optional<Verification> uniform_baseline(const Writing& writing, const Sensitivity& scores, const Budget& budget,
                                             const QuantizedModel& quantized, const Samples& evaluation) {
  const auto& [model, integer_model, quantizer, integers, calibration, options, observer] = writing;
  AllocateOptions allocate_options = options.allocate.without_time_budget();
  allocate_options.uniform = true;
  try {
    const Plan plan = allocate(scores, budget, allocate_options);
    if (allocate_options.compute == "int8" && has_ranges(calibration)) {
      encode::Forms forms;
      forms.integers = integers.form(plan, {}, std::numeric_limits<double>::infinity(), observer);
      forms.dynamic = integers.dynamic_products(std::numeric_limits<double>::infinity(), observer);
      return measure(model, write_nearest(quantizer, plan, "int8", options, observer, forms), evaluation, options,
                     options.labels, observer);
    }
    return measure(model, write_nearest(quantizer, plan, quantized.plan().compute, options, observer), evaluation,
                   options, options.labels, observer);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInfeasible) throw;
    return std::nullopt;
  }
}

/// What the options ask for: a given plan, a size, or the smallest size within a limit of the loss.
QuantizedModel write_model(const Writing& writing, std::optional<Sensitivity>& scores, const RunData& data,
                           std::size_t budget, RunRecord& record) {
  const PipelineOptions& options = writing.options;
  if (options.plan) return write_as(writing, *options.plan, options.plan->compute);
  if (!options.max_drop) {
    const Budget& size = options.budgets[budget];
    if (!options.profile) return meet_budget(writing, *scores, size);
    const auto within = [&](const Writing& narrowed, const Sensitivity& timed) {
      return meet_budget(narrowed, timed, size);
    };
    return write_timed(writing, *scores, size, data.calibration[0], within, record);
  }
  std::optional<QuantizedModel> smallest;
  const auto try_size = [&](const Budget& size) {
    QuantizedModel written = meet_budget(writing, *scores, size);
    const double found = options.max_drop->found(
        measure(writing.model, written, data.evaluation, options, options.labels, writing.observer));
    const SizeTried tried{written.bytes(), found, options.max_drop->keeps(found)};
    if (tried.kept) smallest = std::move(written);
    return tried;
  };
  const std::optional<Budget> most = options.budgets.empty() ? std::nullopt : std::optional(options.budgets[0]);
  record.drop_search = search_smallest(*scores, options.allocate, *options.max_drop, most, try_size, writing.observer);
  return *std::move(smallest);
}

/// Times what was written beside the original on one core.
std::optional<LatencyCheck> latency_on_one_core(const Model& model, const QuantizedModel& written,
                                                const Samples& samples, const PipelineOptions& options,
                                                const Observer& observer) {
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;
  constexpr double kMostSeconds = 1;
  if (!options.measure_latency || model.facts().bytes > kMostBytes) return std::nullopt;
  return LatencyBench(model, samples[0]).check(written, {}, observer, kMostSeconds);
}

RunRecord base_record(const Model& model, const PipelineOptions& options) {
  RunRecord record;
  record.command = "quantize";
  record.mpq_version = version();
  record.model = model.facts();
  record.environment = environment(options.analyze.threads);
  record.memory_limit_bytes = memory_limit_in_force(model, options.quantize.memory_limit_bytes);
  return record;
}

void add_written(const QuantizedModel& quantized, RunRecord& record) {
  record.plan = quantized.plan();
  for (const WrittenLayer& layer : quantized.layers()) {
    record.run_forms.emplace_back(layer.layer,
                                  layer.reason.empty() ? layer.run_form : layer.run_form + " (" + layer.reason + ")");
  }
}

std::string cure_without_weights(const Model& model) {
  const std::vector<std::string>& quantized = model.quantized_parts();
  if (quantized.empty()) return "`mpq inspect` lists every weight and why it is left alone.";
  if (dequantize(model).weights > 0) {
    return "It is quantized already. Give the model it was made from, or take it back to floats with --requantize.";
  }
  return "It is quantized already (" + join(quantized, ", ") +
         "), in a form that --requantize does not take back. Give the model it was made from.";
}

}  // namespace

Sensitivity analyze(const Model& model, const Samples& samples, const AnalyzeOptions& options, Observer& observer,
                    AnalysisCost* cost) {
  options.validate();
  warn_of_missing_int4(model, options, observer);
  const auto candidates = candidates_of(model, options);
  if (candidates.empty()) {
    throw Error(ErrorCode::kUnsupported, "The model holds no weight that mpq can quantize.", model.facts().path,
                cure_without_weights(model));
  }
  Sensitivity scores = perturb::analyze_candidates(model, samples, candidates, options, observer, cost);
  if (scores.layers.empty()) {
    throw Error(ErrorCode::kUnsupported, "No layer of the model can be analyzed: " + scores.skipped.front().skip_reason,
                model.facts().path, "The warnings above name each layer and the reason.");
  }
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < model.layers().size(); ++i) places[model.layers()[i].name] = i;
  const auto weight = [&](std::size_t i) { return model.weight(places.at(scores.layers[i].layer.name)); };
  price_trellises(weight, options, scores);
  price_rows(weight, model.opset(), options, scores);
  fill_sizes(model, encode::RunForm::kInteger, scores);
  return scores;
}

std::optional<Plan> embedded_plan(const Model& model) {
  const std::string text = encode::embedded_plan(model);
  if (text.empty()) return std::nullopt;
  const encode::PlanText parsed = encode::parse_plan_text(text);
  Plan plan;
  plan.model = model.facts();
  plan.budget = parsed.budget;
  plan.file_bytes = model.facts().bytes;
  for (const auto& [layer, candidate] : parsed.layers) {
    PlanEntry& entry = plan.entries.emplace_back();
    entry.layer = layer;
    entry.candidate = parse_candidate(candidate);
  }
  return plan;
}

std::vector<PipelineResult> run_pipeline(const Model& model, const PipelineOptions& asked, Observer& observer) {
  const PipelineOptions options = within_memory(model, asked, observer);
  if (options.profile) require_matches(*options.profile, model);
  const RunData data = choose_data(model, options);
  const bool own_labels = options.evaluation.has_value();
  if (!options.labels.empty() && !own_labels) {
    throw Error(ErrorCode::kUsage, "Labels were given without evaluation samples.", "--labels",
                "Give the labelled samples with --eval.");
  }
  Timings shared_timings;
  AnalysisCost cost;
  std::optional<Sensitivity> scores = options.scores;
  if (!scores && !options.plan) {
    scores = timed(shared_timings, "analyze",
                   [&] { return analyze(model, data.calibration, options.analyze, observer, &cost); });
  }
  if (scores) {
    if (scores->model.sha256 != model.facts().sha256) {
      throw Error(ErrorCode::kInvalidInput,
                  "The sensitivity record was made from another model (" + scores->model.path + ").",
                  model.facts().path, "Run `mpq analyze` on this model.");
    }
    fill_sizes(model, run_form_of(options.allocate.compute), *scores);
  }

  const graph::IntegerReady ready = ready_model(model, data.calibration, options, observer);
  RoundedQuantizer quantizer(model, data.calibration, options.verify, &ready);
  IntegerPlanner integers(
      ready.model, data.calibration,
      {options.verify.metric, options.verify.outputs_glob, options.verify.output_roles, options.analyze.threads});
  const Writing writing{model, ready.model, quantizer, integers, data.calibration, options, observer};
  std::vector<PipelineResult> results;
  const std::size_t count = options.plan || options.max_drop ? 1 : options.budgets.size();
  for (std::size_t i = 0; i < count; ++i) {
    PipelineResult result{base_record(model, options), std::nullopt};
    RunRecord& record = result.record;
    record.timings_seconds = shared_timings;
    record.sensitivity = scores;
    if (!options.scores && scores) record.cost = cost;
    result.quantized =
        timed(record.timings_seconds, "quantize", [&] { return write_model(writing, scores, data, i, record); });
    if (options.dry_run) {
      record.plan = result.quantized->plan();
      result.quantized.reset();
      results.push_back(std::move(result));
      continue;
    }
    add_written(*result.quantized, record);
    warn_if_raised(model, *result.quantized, observer);
    // Of this very plan: prices are right for those that differ little from the one they were made around.
    if (record.latency && record.plan->time) record.plan->time->predicted_seconds = record.latency->predicted_seconds;
    record.verification = timed(record.timings_seconds, "verify", [&] {
      return measure(model, *result.quantized, data.evaluation, options, options.labels, observer);
    });
    if (!record.latency) {
      record.latency = timed(record.timings_seconds, "latency", [&] {
        return latency_on_one_core(model, *result.quantized, data.evaluation, options, observer);
      });
    }
    if (options.allocate.compute == "int8") {
      warn_if_overflowing(*result.quantized, observer);
      if (!has_ranges(data.calibration)) warn_of_missing_ranges(model, *result.quantized, observer);
    }
    if (record.latency) warn_if_slower(*record.latency, result.quantized->plan().compute, observer);
    if (scores && options.measure_uniform && !options.allocate.uniform) {
      record.uniform_baseline = timed(record.timings_seconds, "uniform", [&] {
        const Budget budget = options.max_drop ? Budget::parse(record.plan->budget) : options.budgets[i];
        return uniform_baseline(writing, *scores, budget, *result.quantized, data.evaluation);
      });
    }
    record.peak_memory_bytes = peak_memory_bytes();
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace mpq
