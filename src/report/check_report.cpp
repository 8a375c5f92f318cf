#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "mpq/check.h"
#include "mpq/error.h"

#include "report/junit.h"
#include "report/markup.h"
#include "report/sections.h"
#include "report/style.h"
#include "support/files.h"

namespace mpq {
namespace {

using report::Style;
using report::Tone;
using Verdict = GateResult::Verdict;

const char* word(Verdict verdict) {
  if (verdict == Verdict::kPassed) return "passed";
  return verdict == Verdict::kWarned ? "warned" : "failed";
}

std::int64_t count(const std::vector<GateResult>& results, Verdict verdict) {
  return std::count_if(results.begin(), results.end(), [&](const auto& r) { return r.verdict == verdict; });
}

std::string closing(const std::vector<GateResult>& results) {
  return fmt::format("{} passed, {} warned, {} failed", count(results, Verdict::kPassed),
                     count(results, Verdict::kWarned), count(results, Verdict::kFailed));
}

std::string heading(const GateResult& result) {
  return result.subject.empty() ? result.name : result.name + " (" + result.subject + ")";
}

std::string terminal(const std::vector<GateResult>& results, const RunRecord& record, const Style& style) {
  std::string text = report::title("check", record.model.path, "", style);
  for (const GateResult& result : results) {
    const Tone tone = result.verdict == Verdict::kPassed   ? Tone::kGood
                      : result.verdict == Verdict::kWarned ? Tone::kWarning
                                                           : Tone::kBad;
    const std::string line = fmt::format("{}: {}; {}", printable(heading(result)), printable(result.found),
                                         printable(result.limit) + " demanded");
    text += style.paint(tone, word(result.verdict)) + "  " + report::wrap(line, 8, style.width()) + '\n';
    if (!result.hint.empty()) text += "        " + report::wrap(printable(result.hint), 8, style.width()) + '\n';
  }
  return text + closing(results) + '\n';
}

std::string document(const std::vector<GateResult>& results, const RunRecord& record) {
  nlohmann::ordered_json json{{"schema_version", 1},
                              {"record", "check"},
                              {"model", record.model.path},
                              {"passed", passed(results)},
                              {"gates", nlohmann::ordered_json::array()}};
  for (const GateResult& r : results) {
    json["gates"].push_back({{"name", r.name},
                             {"subject", r.subject},
                             {"verdict", word(r.verdict)},
                             {"limit", r.limit},
                             {"found", r.found},
                             {"hint", r.hint}});
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

std::string markdown(const std::vector<GateResult>& results, const RunRecord& record) {
  std::string text = fmt::format("### mpq check: {}\n\n**{}** for {}\n\n", passed(results) ? "passed" : "failed",
                                 closing(results), report::markdown_code(record.model.path));
  text += "| | gate | demanded | found | what to do |\n|---|---|---|---|---|\n";
  for (const GateResult& r : results) {
    const char* mark = r.verdict == Verdict::kPassed ? "✅" : r.verdict == Verdict::kWarned ? "⚠️" : "❌";
    text += fmt::format("| {} {} | {} | {} | {} | {} |\n", mark, word(r.verdict), report::markdown_text(heading(r)),
                        report::markdown_text(r.limit), report::markdown_text(r.found), report::markdown_text(r.hint));
  }
  return text;
}

/// A workflow command's message and property values have their own escapes.
std::string github_text(const std::string& text, bool property) {
  std::string result;
  for (const char c : printable(text)) {
    if (c == '%') {
      result += "%25";
    } else if (property && (c == ':' || c == ',')) {
      result += c == ':' ? "%3A" : "%2C";
    } else {
      result += c;
    }
  }
  return result;
}

std::string github(const std::vector<GateResult>& results, const std::string& path) {
  std::string text;
  for (const GateResult& r : results) {
    if (r.verdict == Verdict::kPassed) continue;
    text += fmt::format("::{} file={},title={}::{}\n", r.verdict == Verdict::kFailed ? "error" : "warning",
                        github_text(path, true), github_text("mpq " + heading(r), true),
                        github_text(fmt::format("{}; {} demanded. {}", r.found, r.limit, r.hint), false));
  }
  return text + "mpq check: " + closing(results) + '\n';
}

}  // namespace

std::string render(const std::vector<GateResult>& results, const RunRecord& record, const std::string& path,
                   const CheckReportOptions& options) {
  if (options.format == "table")
    return terminal(results, record, Style(options.color, options.unicode, std::max(options.width, 60)));
  if (options.format == "json") return document(results, record);
  if (options.format == "md") return markdown(results, record);
  if (options.format == "github") return github(results, path);
  if (options.format == "junit") return report::junit_xml(results, "check");
  throw Error(ErrorCode::kUsage, "There is no format \"" + options.format + "\" for a check.", "--format",
              "The formats are table, json, md, github and junit.");
}

void write_report(const std::string& path, const std::vector<GateResult>& results, const RunRecord& record,
                  const CheckReportOptions& options, bool force) {
  const std::string text = render(results, record, path, options);
  AtomicFile file(path, force);
  file.write(text);
  file.commit();
}

}  // namespace mpq
