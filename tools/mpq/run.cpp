#include <charconv>

#include <fmt/format.h>

#include "mpq/execution.h"

#include "commands.h"
#include "inputs.h"
#include "interrupt.h"
#include "outputs.h"
#include "progress.h"
#include "session.h"

namespace mpq::cli {
namespace {

/// "8", "8ms", "0.5s" as seconds.
double parse_latency(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, text.data() + text.size());
  const double scale = unit.empty() || unit == "ms" ? 1e-3 : unit == "s" ? 1 : 0;
  if (error != std::errc() || scale == 0 || !(value > 0)) {
    throw Error(ErrorCode::kUsage, fmt::format("\"{}\" is no time a request may take.", text), "--latency-limit",
                "Give milliseconds, such as 8 or 8ms, or seconds, such as 0.5s.");
  }
  return value * scale;
}

RunTaskOptions task_options(const Settings& settings) {
  RunTaskOptions options;
  options.place.task = settings.task == "sync" ? TaskKind::kSync : TaskKind::kAsync;
  options.place.precision = settings.precision;
  if (!settings.latency_limit.empty()) options.place.latency_limit = parse_latency(settings.latency_limit);
  options.executor.openvino_library = settings.openvino_library;
  options.executor.webgpu_library = settings.webgpu_library;
  options.requests = static_cast<int>(settings.requests.value_or(0));
  return options;
}

void check_given(const Settings& settings) {
  if (settings.profile.empty()) {
    throw Error(ErrorCode::kUsage, "A profile of the model on this machine is needed.", "--profile",
                fmt::format("Make one with `mpq profile {} --devices cpu:0,cpu:1`.", settings.positionals[0]));
  }
  if (settings.task.empty()) {
    throw Error(ErrorCode::kUsage, "The type of the task is needed.", "--task",
                "Say sync when the caller waits for each answer, async for a stream of requests.");
  }
}

}  // namespace

int run_run(const Settings& settings, Console& console) {
  catch_interrupts();
  check_given(settings);
  const RunTaskOptions options = task_options(settings);
  const std::string& path = settings.positionals[0];
  const Model model = load_model(path, console);
  std::vector<std::string> outputs;
  for (const std::string& output : {settings.output, settings.html}) {
    if (!output.empty()) outputs.push_back(output);
  }
  check_outputs(outputs, {path, settings.profile, settings.inputs, settings.config}, settings.force);
  const Profile profile = read_profile(settings.profile);
  ProgressObserver observer(console, settings);
  const auto given = open_samples(settings.inputs, model, settings, console);
  const Samples samples = or_synthetic(given, model, settings);
  if (!given)
    console.warn("The inputs are synthetic: times may differ from those of real ones.", "Give samples with --inputs.");

  const ExecutionResult result = run_task(model, profile, samples, options, observer);
  if (!settings.output.empty()) write_npz(settings.output, stacked(result.outputs), settings.force);
  if (!settings.html.empty()) write_report(settings.html, result.record, {.format = "html"}, settings.force);
  const ReportOptions report = terminal_report(settings, console);
  console.result(settings.json ? to_json(result.record) : render(result.record, report, settings.explain));
  if (result.record.failed < result.record.requests) return 0;
  throw Error(ErrorCode::kUnsupported,
              fmt::format("All {} requests failed: {}", result.record.requests, result.record.failure), path);
}

}  // namespace mpq::cli
