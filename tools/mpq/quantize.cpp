#include <chrono>
#include <filesystem>

#include <fmt/format.h>

#include "batch.h"
#include "cache.h"
#include "commands.h"
#include "config.h"
#include "inputs.h"
#include "interrupt.h"
#include "json_writer.h"
#include "outputs.h"
#include "progress.h"
#include "session.h"
#include "stage_options.h"
#include "text_table.h"

namespace mpq::cli {
namespace {

/// The files one budget is written to; empty where nothing is asked for.
struct Target {
  std::string model, record;
};

void check_usage(const Settings& settings) {
  const auto conflict = [](bool found, const char* what, const char* where, const char* hint) {
    if (found) throw Error(ErrorCode::kUsage, what, where, hint);
  };
  conflict(settings.budgets.empty() && settings.plan.empty() && settings.max_drop.empty(),
           "How small should the model be?", "--budget",
           "For example --budget 6bit (stored bits per weight), 12MB, 25% or 4x (the whole file), or --max-drop 0.5%.");
  conflict(!settings.plan.empty() && !settings.budgets.empty(), "A plan has its budget already.", "--plan",
           "Leave --budget out.");
  conflict(!settings.max_drop.empty() && !settings.plan.empty(), "A plan has its size already.", "--max-drop",
           "Leave --max-drop out.");
  conflict(!settings.max_drop.empty() && settings.uniform, "The smallest model is sought among mixed ones.",
           "--max-drop", "Leave --uniform out.");
  conflict(!settings.max_drop.empty() && settings.budgets.size() > 1,
           "With a limit of the loss one budget at most limits the size.", "--budget", "Leave all but one out.");
  conflict(!settings.max_drop.empty() && !settings.profile.empty(),
           "A limit of the loss and the latency do not go together.", "--max-drop",
           "Leave --profile out, or give a --budget of the size and of the latency.");
  conflict(!settings.plan.empty() && !settings.profile.empty(),
           "A plan is written as it is; its latency was planned already.", "--profile", "Give it to `mpq plan`.");
  conflict(!settings.plan.empty() && !settings.scores.empty(), "A plan needs no sensitivities.", "--plan",
           "Leave --scores out.");
  conflict(!settings.plan.empty() && (!settings.layer.empty() || !settings.keep.empty() || settings.uniform),
           "A plan is written as it is; --layer, --keep and --uniform do not go with it.", "--plan",
           "Give them to `mpq plan`.");
  conflict(settings.output == "-", "A model is no text; it cannot be written to stdout.", "-o", "Name a file.");
  conflict(!settings.labels.empty() && settings.evaluation.empty(),
           "Labels were given without the samples they belong to.", "--labels",
           "Give the labelled samples with --eval.");
}

std::vector<Target> targets(const Settings& settings, const std::vector<std::string>& tags) {
  const std::string stem = without_onnx_extension(settings.positionals[0]);
  std::vector<Target> result;
  for (const std::string& tag : tags) {
    const std::string name = fmt::format("{}.mpq-{}{}.onnx", stem, tag, settings.uniform ? "-uniform" : "");
    Target target{output_path(settings.output, name), settings.report_json};
    if (tags.size() > 1 && target.model == settings.output) target.model = with_tag(target.model, tag);
    if (tags.size() > 1 && !target.record.empty()) target.record = with_tag(target.record, tag);
    if (settings.dry_run) target.model.clear();
    result.push_back(target);
  }
  return result;
}

void check_targets(const std::vector<Target>& all, const Settings& settings) {
  std::vector<std::string> outputs;
  for (const Target& target : all) {
    if (!target.model.empty()) outputs.push_back(target.model);
    if (!target.record.empty()) outputs.push_back(target.record);
  }
  check_outputs(outputs,
                {settings.positionals[0], settings.calibration, settings.evaluation, settings.labels, settings.scores,
                 settings.plan, settings.profile, settings.config},
                settings.force);
}

/// What needs no model: checked before the first file is read.
PipelineOptions plain_options(const Settings& settings, Console& console) {
  PipelineOptions options;
  options.budgets = size_budgets(settings);
  if (!settings.max_drop.empty()) options.max_drop = DropLimit::parse(settings.max_drop);
  options.analyze = analyze_options(settings, console);
  options.allocate = allocate_options(settings);
  options.quantize.threads = options.analyze.threads;
  options.quantize.memory_limit_bytes = memory_limit(settings);
  options.quantize.rounding = settings.rounding;
  options.quantize.validate();
  options.verify = verify_options(settings);
  options.dry_run = settings.dry_run;
  options.measure_latency = settings.effort.value_or(kDefaultEffort) > 1;
  options.measure_uniform = settings.effort.value_or(kDefaultEffort) >= kDefaultEffort;
  options.joint_samples = settings.effort.value_or(kDefaultEffort) > 1 ? options.joint_samples : 0;
  if (!settings.plan.empty()) options.plan = read_plan(settings.plan);
  if (options.plan && !settings.compute.empty()) options.plan->compute = settings.compute;
  if (!settings.scores.empty()) options.scores = read_scores(settings.scores);
  if (!settings.profile.empty()) options.profile = read_profile(settings.profile);
  return options;
}

void add_samples(PipelineOptions& options, const Settings& settings, const Model& model, Console& console) {
  options.calibration = open_samples(settings.calibration, model, settings, console);
  options.evaluation = open_samples(settings.evaluation, model, settings, console);
  options.synthetic_samples = settings.samples.value_or(options.synthetic_samples);
  options.labels = open_labels(settings);
}

/// Saves the model and completes its record with what only now is known.
void save(PipelineResult& result, const Target& target, const Settings& settings, const AnalyzeOptions& analyze,
          const std::vector<std::string>& warnings) {
  RunRecord& record = result.record;
  record.options = options_in_force(settings, analyze);
  record.warnings = warnings;
  if (result.quantized && !target.model.empty()) {
    const auto begin = std::chrono::steady_clock::now();
    result.quantized->save(target.model);
    record.output = Model::load(target.model).facts();  // what stands on disk now, read back
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    record.timings_seconds.emplace_back("save", spent.count());
  }
  if (!target.record.empty()) write_report(target.record, record, {.format = "json"}, settings.force);
}

std::string runs_json(const std::vector<PipelineResult>& results) {
  if (results.size() == 1) return to_json(results[0].record);
  JsonWriter json;
  json.begin_object().key("schema_version").value(std::int64_t{RunRecord::kSchemaVersion}).key("runs").begin_array();
  for (const PipelineResult& result : results) json.raw(to_json(result.record));
  return json.end_array().end_object().text();
}

/// One line per budget, to compare them at a glance.
std::string summary(const std::vector<PipelineResult>& results, std::size_t width) {
  std::vector<std::vector<std::string>> rows = {{"budget", "file bytes", "of the model", "bits/weight", "predicted",
                                                 "measured", "accuracy", "latency", "written to"}};
  for (const PipelineResult& result : results) {
    const RunRecord& r = result.record;
    const std::int64_t bytes = r.output ? r.output->bytes : r.plan->file_bytes;
    rows.push_back(
        {r.plan->budget, std::to_string(bytes),
         fmt::format("{:.1f} %", 100.0 * static_cast<double>(bytes) / static_cast<double>(r.model.bytes)),
         fmt::format("{:.3f}", r.plan->bits_per_weight), fmt::format("{:.3g}", r.plan->predicted_damage),
         r.verification ? fmt::format("{:.3g}", r.verification->damage) : "-",
         r.verification && r.verification->accuracy ? fmt::format("{:.2f} %", 100 * r.verification->accuracy->quantized)
                                                    : "-",
         r.latency ? fmt::format("{:.3g} ms", 1e3 * r.latency->seconds()) : "-", r.output ? r.output->path : "-"});
  }
  return "All budgets:\n" + text_table(rows, 8, {1, 2, 3, 4, 5, 6, 7}, width, {3, 4});
}

std::string reports(const std::vector<PipelineResult>& results, const Settings& settings, const Console& console) {
  std::string text;
  for (const PipelineResult& result : results) text += render(result.record, terminal_report(settings, console)) + '\n';
  if (results.size() > 1) return text + summary(results, static_cast<std::size_t>(console.width()));
  text.pop_back();
  return text;
}

}  // namespace

std::vector<PipelineResult> quantize_model(const Settings& settings, Console& console) {
  catch_interrupts();
  check_usage(settings);
  PipelineOptions options = plain_options(settings, console);
  std::vector<std::string> tags;
  if (options.plan) tags.push_back(budget_tag(options.plan->budget));
  if (options.max_drop) {
    tags.push_back("drop-" + budget_tag(options.max_drop->text));
  } else {
    for (const Budget& budget : options.budgets) tags.push_back(tag_of(budget, settings));
  }
  const Model model = load_original(settings, console);
  const auto files = targets(settings, tags);
  check_targets(files, settings);
  add_samples(options, settings, model, console);
  options.analyze.checkpoint_path = checkpoint_path(settings, model, calibration_key(options), options.analyze);
  AnalysisCache cache(settings, model, options);
  cache.take(options, console);
  ProgressObserver observer(console, settings);
  auto results =
      keeping_progress(options.analyze.checkpoint_path, [&] { return run_pipeline(model, options, observer); });
  cache.keep(results, console);
  for (std::size_t i = 0; i < results.size(); ++i)
    save(results[i], files[i], settings, options.analyze, observer.warnings());
  return results;
}

int run_quantize(const Settings& settings, Console& console) {
  if (settings.positionals.size() > 1 || !settings.output_dir.empty() || settings.json_lines)
    return run_batch(settings, console);
  const Settings one = settings_for_model(*find_command("quantize"), settings, settings.positionals[0]);
  const std::vector<PipelineResult> results = quantize_model(one, console);
  console.result(one.json ? runs_json(results) : reports(results, one, console));
  return 0;
}

}  // namespace mpq::cli
