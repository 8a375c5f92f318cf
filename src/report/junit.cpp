#include "report/junit.h"

#include <algorithm>

#include <fmt/format.h>

#include "report/markup.h"

namespace mpq::report {
namespace {

using Verdict = GateResult::Verdict;

std::string test_case(const GateResult& result, const std::string& suite) {
  const std::string name = result.subject.empty() ? result.name : result.name + " " + result.subject;
  const std::string open =
      fmt::format("    <testcase classname=\"{}\" name=\"{}\"", markup_text("mpq." + suite), markup_text(name));
  const std::string text = fmt::format("{}; found {}", markup_text(result.limit), markup_text(result.found));
  switch (result.verdict) {
    case Verdict::kPassed:
      return open + "/>\n";
    case Verdict::kWarned:
      return fmt::format("{}>\n      <system-out>warning: {}. {}</system-out>\n    </testcase>\n", open, text,
                         markup_text(result.hint));
    case Verdict::kFailed:
      break;
  }
  return fmt::format("{}>\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n", open,
                     markup_text(result.name), text, markup_text(result.hint));
}

}  // namespace

std::string junit_xml(const std::vector<GateResult>& results, const std::string& suite) {
  const auto failures =
      std::count_if(results.begin(), results.end(), [](const auto& r) { return r.verdict == Verdict::kFailed; });
  const std::string counts = fmt::format("tests=\"{}\" failures=\"{}\" errors=\"0\"", results.size(), failures);
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  text += fmt::format("<testsuites name=\"mpq\" {}>\n  <testsuite name=\"{}\" {} skipped=\"0\">\n", counts,
                      markup_text(suite), counts);
  for (const GateResult& result : results) text += test_case(result, suite);
  return text + "  </testsuite>\n</testsuites>\n";
}

}  // namespace mpq::report
