#include <optional>
#include <string>

#include <fmt/format.h>

#include "commands.h"
#include "inputs.h"
#include "interrupt.h"
#include "outputs.h"
#include "progress.h"
#include "session.h"
#include "stage_options.h"

namespace mpq::cli {
namespace {

RunRecord record_of(const Model& model, const Sensitivity& scores, const AnalysisCost& cost, const Settings& settings,
                    const AnalyzeOptions& options, const ProgressObserver& observer) {
  RunRecord record;
  record.command = "analyze";
  record.mpq_version = version();
  record.model = model.facts();
  record.sensitivity = scores;
  record.cost = cost;
  record.timings_seconds = {{"analyze", cost.seconds}};
  record.peak_memory_bytes = peak_memory_bytes();
  record.memory_limit_bytes = memory_limit_in_force(model, options.memory_limit_bytes);
  record.options = options_in_force(settings, options);
  record.warnings = observer.warnings();
  return record;
}

/// ".2-of-4" in the names of parts.
std::string part_tag(const std::optional<Shard>& shard) {
  return shard ? fmt::format(".{}-of-{}", shard->part, shard->parts) : "";
}

}  // namespace

int run_analyze(const Settings& settings, Console& console) {
  catch_interrupts();
  AnalyzeOptions options = analyze_options(settings, console);
  const std::string& path = settings.positionals[0];
  const Model model = load_original(settings, console);
  const std::string output = output_path(settings.output, path + part_tag(options.shard) + ".sensitivity.json");
  std::vector<std::string> outputs;
  if (output != "-") outputs.push_back(output);
  if (!settings.report_json.empty()) outputs.push_back(settings.report_json);
  check_outputs(outputs, {path, settings.calibration, settings.config}, settings.force);

  ProgressObserver observer(console, settings);
  const auto given = open_samples(settings.calibration, model, settings, console);
  const Samples samples = or_synthetic(given, model, settings);
  options.checkpoint_path = checkpoint_path(settings, model, samples.facts().sha256, options);
  AnalysisCost cost;
  const Sensitivity scores =
      keeping_progress(options.checkpoint_path, [&] { return analyze(model, samples, options, observer, &cost); });

  const RunRecord record = record_of(model, scores, cost, settings, options, observer);
  if (!settings.report_json.empty()) write_report(settings.report_json, record, {.format = "json"}, settings.force);
  deliver(scores, record, output, settings, console);
  return 0;
}

}  // namespace mpq::cli
