#include <algorithm>

#include "mpq/check.h"
#include "mpq/error.h"
#include "mpq/report.h"

#include "report/as_run.h"
#include "report/junit.h"
#include "report/reports.h"
#include "support/files.h"

namespace mpq {
namespace {

constexpr int kLeastWidth = 60;

/// Calls the one of three functions that takes the record at hand.
template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace

std::string render(const AnyRecord& record, const ReportOptions& options) {
  if (options.format == "json") {
    return std::visit([](const auto& value) { return to_json(value); }, record);
  }
  if (options.format == "csv") {
    return std::visit(Overloaded{[](const RunRecord& r) { return report::run_csv(r); },
                                 [](const Sensitivity& s) { return report::sensitivity_csv(s); },
                                 [](const Plan& p) { return report::plan_csv(p); },
                                 [](const Profile& p) { return report::profile_csv(p); }},
                      record);
  }
  if (options.format == "md") return report::markdown_report(report::as_run(record));
  if (options.format == "html") return report::html_report(report::as_run(record), options);
  if (options.format == "junit") {
    const RunRecord run = report::as_run(record);
    return report::junit_xml(self_check(run), run.command);
  }
  if (options.format == "table") {
    const report::Style style(options.color, options.unicode, std::max(options.width, kLeastWidth));
    return std::visit(
        Overloaded{[&](const RunRecord& r) { return report::run_report(r, style, options.top); },
                   [&](const Sensitivity& s) { return report::sensitivity_report(s, style, options.top); },
                   [&](const Plan& p) { return report::plan_report(p, style, options.top); },
                   [&](const Profile& p) { return report::profile_report(p, style, options.top); }},
        record);
  }
  throw Error(ErrorCode::kUsage, "There is no report format \"" + options.format + "\".", "--format",
              "The formats are table, json, csv, md, html and junit.");
}

void write_report(const std::string& path, const AnyRecord& record, const ReportOptions& options, bool force) {
  const std::string text = render(record, options);
  AtomicFile file(path, force);
  file.write(text);
  file.commit();
}

}  // namespace mpq
