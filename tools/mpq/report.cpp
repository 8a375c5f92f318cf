#include "commands.h"
#include "inputs.h"
#include "outputs.h"
#include "session.h"
#include "stage_options.h"

namespace mpq::cli {

ReportOptions terminal_report(const Settings& settings, const Console& console) {
  constexpr int kRowsShown = 25;
  ReportOptions options;
  options.color = console.color_on_stdout();
  options.unicode = console.unicode();
  options.width = console.width();
  options.top = settings.verbose ? 0 : kRowsShown;
  return options;
}

void deliver(const AnyRecord& made, const AnyRecord& shown, const std::string& output, const Settings& settings,
             Console& console) {
  const bool to_stdout = output == "-";
  if (!to_stdout) write_report(output, made, {.format = "json"}, settings.force);
  const bool as_json = to_stdout || settings.json;
  console.result(as_json ? render(made, {.format = "json"}) : render(shown, terminal_report(settings, console)));
  if (!to_stdout) console.say("wrote " + output);
}

namespace {

/// What bound the run's plan binds the frontier's plans too.
AllocateOptions options_of(const RunRecord& run) {
  AllocateOptions options;
  for (const auto& [name, value] : run.options) {
    if (name == "compute") options.compute = value;
    if (name == "layer") options.overrides.push_back(parse_override(value, "--layer"));
    if (name == "keep") options.overrides.push_back({value, Candidate{}, "--keep '" + value + "'"});
  }
  return options;
}

/// The frontier is worked out from the record's scores; a record without them has none.
void add_frontier(const AnyRecord& record, ReportOptions& options) {
  constexpr std::size_t kPoints = 56;
  const auto* run = std::get_if<RunRecord>(&record);
  const auto* scores = std::get_if<Sensitivity>(&record);
  if (run != nullptr && run->sensitivity) scores = &*run->sensitivity;
  if (scores == nullptr || scores->layers.empty()) return;
  AllocateOptions allocate = run != nullptr ? options_of(*run) : AllocateOptions{};
  options.frontier = frontier_plans(*scores, kPoints, allocate);
  allocate.uniform = true;
  options.uniforms = frontier_plans(*scores, kPoints, allocate);
}

}  // namespace

int run_report(const Settings& settings, Console& console) {
  const std::string& path = settings.positionals[0];
  ReportOptions options = terminal_report(settings, console);
  options.format = settings.format;
  options.top = 0;
  const AnyRecord record = read_record(path);
  if (options.format == "html") add_frontier(record, options);
  if (settings.output.empty() || settings.output == "-") {
    console.result(render(record, options));
    return 0;
  }
  options.color = settings.color == "always";
  check_outputs({settings.output}, {path, settings.config}, settings.force);
  write_report(settings.output, record, options, settings.force);
  console.say("wrote " + settings.output);
  return 0;
}

}  // namespace mpq::cli
