#include <chrono>

#include <fmt/format.h>

#include "commands.h"
#include "inputs.h"
#include "interrupt.h"
#include "outputs.h"
#include "progress.h"
#include "session.h"
#include "stage_options.h"

namespace mpq::cli {

int run_verify(const Settings& settings, Console& console) {
  catch_interrupts();
  const VerifyOptions options = verify_options(settings);
  if (!settings.labels.empty() && settings.data.empty()) {
    throw Error(ErrorCode::kUsage, "Labels were given without the samples they belong to.", "--labels",
                "Give the samples with --data.");
  }
  const std::string &reference_path = settings.positionals[0], &quantized_path = settings.positionals[1];
  const Model reference = load_model(reference_path, console);
  const Model quantized = load_model(quantized_path, console);
  if (!settings.report_json.empty()) {
    check_outputs({settings.report_json},
                  {reference_path, quantized_path, settings.data, settings.labels, settings.config}, settings.force);
  }
  ProgressObserver observer(console, settings);
  const auto given = open_samples(settings.data, reference, settings, console);
  const Samples samples = or_synthetic(given, reference, settings);
  const auto labels = open_labels(settings);

  const auto begin = std::chrono::steady_clock::now();
  RunRecord record;
  record.command = "verify";
  record.mpq_version = version();
  record.model = reference.facts();
  record.output = quantized.facts();
  record.verification =
      keeping_progress({}, [&] { return verify(reference, quantized, samples, labels, options, observer); });
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  record.timings_seconds = {{"verify", spent.count()}};
  record.peak_memory_bytes = peak_memory_bytes();
  record.memory_limit_bytes = memory_limit_in_force(reference, options.memory_limit_bytes);
  record.options = settings.given;
  record.warnings = observer.warnings();
  if (!settings.report_json.empty()) write_report(settings.report_json, record, {.format = "json"}, settings.force);
  console.result(settings.json ? to_json(record) : render(record, terminal_report(settings, console)));
  return 0;
}

}  // namespace mpq::cli
