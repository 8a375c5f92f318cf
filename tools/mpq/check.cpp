#include "mpq/check.h"

#include <optional>

#include "mpq/report.h"

#include "commands.h"
#include "outputs.h"

namespace mpq::cli {
namespace {

RunRecord read_run(const std::string& path) {
  AnyRecord record = read_record(path);
  if (auto* run = std::get_if<RunRecord>(&record)) return std::move(*run);
  throw Error(ErrorCode::kInvalidInput, "It is no run record; an analysis or a plan alone measured nothing.", path,
              "Give what `mpq quantize --report-json` or `mpq verify --report-json` wrote.");
}

std::vector<Gate> gates_of(const Settings& settings) {
  std::vector<Gate> gates;
  const auto add = [&](const char* name, const std::string& text) {
    if (!text.empty()) gates.push_back(Gate::parse(name, text));
  };
  add("max-bytes", settings.max_bytes);
  add("max-drop", settings.max_drop);
  add("min-sqnr", settings.min_sqnr);
  add("min-top1-agreement", settings.min_top1_agreement);
  for (const std::string& text : settings.min_bits) add("min-bits", text);
  add("max-regression", settings.max_regression);
  if (gates.empty())
    throw Error(ErrorCode::kUsage, "There is nothing to check.", "mpq check",
                "Give limits, for example --max-bytes 12MB --max-drop 1%, or a [check] table with --config.");
  return gates;
}

}  // namespace

int run_check(const Settings& settings, Console& console) {
  const std::string& path = settings.positionals[0];
  const std::vector<Gate> gates = gates_of(settings);
  if (!settings.junit.empty())
    check_outputs({settings.junit}, {path, settings.baseline, settings.config}, settings.force);
  const RunRecord record = read_run(path);
  std::optional<RunRecord> baseline;
  if (!settings.baseline.empty()) baseline = read_run(settings.baseline);
  const std::vector<GateResult> results = check(record, gates, baseline ? &*baseline : nullptr);

  CheckReportOptions options;
  options.format = settings.json ? "json" : settings.format;
  options.color = console.color_on_stdout();
  options.unicode = console.unicode();
  options.width = console.width();
  console.result(render(results, record, path, options));
  if (!settings.junit.empty()) write_report(settings.junit, results, record, {.format = "junit"}, settings.force);
  return passed(results) ? 0 : static_cast<int>(ErrorCode::kGate);
}

}  // namespace mpq::cli
