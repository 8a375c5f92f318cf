#include "mpq/check.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "mpq/error.h"

#include "report/gates.h"
#include "report/numbers.h"
#include "support/text.h"

namespace mpq {
namespace {

using report::Judge;
using Verdict = GateResult::Verdict;

const std::vector<std::pair<std::string, void (*)(Judge&, const Gate&)>>& judges() {
  static const std::vector<std::pair<std::string, void (*)(Judge&, const Gate&)>> table = {
      {"max-bytes", report::judge_bytes}, {"max-drop", report::judge_drop},
      {"min-sqnr", report::judge_sqnr},   {"min-top1-agreement", report::judge_agreement},
      {"min-bits", report::judge_bits},   {"max-regression", report::judge_regression},
  };
  return table;
}

/// "warn:12MB" -> kWarn and "12MB".
Gate with_severity(const std::string& name, const std::string& text) {
  if (text == "off") return {name, "", Gate::Severity::kOff};
  for (const auto& [word, severity] : {std::pair<std::string, Gate::Severity>{"warn:", Gate::Severity::kWarn},
                                       std::pair<std::string, Gate::Severity>{"error:", Gate::Severity::kError}}) {
    if (text.starts_with(word)) return {name, text.substr(word.size()), severity};
  }
  return {name, text, Gate::Severity::kError};
}

}  // namespace

Gate Gate::parse(const std::string& name, const std::string& text) {
  const auto known = std::find_if(judges().begin(), judges().end(), [&](const auto& j) { return j.first == name; });
  if (known == judges().end()) throw Error(ErrorCode::kUsage, "There is no gate \"" + name + "\".", "mpq check");
  Gate gate = with_severity(name, text);
  if (gate.severity != Severity::kOff) report::check_limit(gate);
  return gate;
}

std::vector<GateResult> check(const RunRecord& record, const std::vector<Gate>& gates, const RunRecord* baseline) {
  Judge judge{record, baseline, {}};
  for (const Gate& gate : gates) {
    if (gate.severity == Gate::Severity::kOff) continue;
    for (const auto& [name, function] : judges()) {
      if (name == gate.name) function(judge, gate);
    }
  }
  return judge.results;
}

std::vector<GateResult> self_check(const RunRecord& record) {
  std::vector<GateResult> results;
  if (record.plan && record.plan->limit_bytes > 0) {
    const Plan& plan = *record.plan;
    const std::int64_t used = plan.counts_file ? plan.file_bytes : plan.stored_bytes;
    results.push_back({used <= plan.limit_bytes ? Verdict::kPassed : Verdict::kFailed, "budget", plan.budget,
                       "at most " + format_count(plan.limit_bytes) + " bytes", format_count(used) + " bytes",
                       used <= plan.limit_bytes ? "" : "Please report this as a bug of mpq."});
  }
  if (!record.verification) return results;
  for (const OutputComparison& output : record.verification->outputs) {
    const bool finite = std::isfinite(output.relative_mse) && std::isfinite(output.sqnr_db);
    results.push_back({finite ? Verdict::kPassed : Verdict::kFailed, "finite", output.name,
                       "the difference is a number",
                       finite ? fmt::format("SQNR {:.1f} dB", output.sqnr_db) : "it is not",
                       finite ? "" : "The model gives infinities on these samples; look at both with `mpq verify`."});
  }
  return results;
}

bool passed(const std::vector<GateResult>& results) {
  return std::none_of(results.begin(), results.end(), [](const auto& r) { return r.verdict == Verdict::kFailed; });
}

}  // namespace mpq
