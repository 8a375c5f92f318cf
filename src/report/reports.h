#pragma once

#include <string>

#include "mpq/report.h"

#include "report/style.h"

namespace mpq::report {

/// The terminal report of each kind of record. `top` layers are shown, 0 = all.
std::string run_report(const RunRecord& record, const Style& style, int top);
std::string sensitivity_report(const Sensitivity& scores, const Style& style, int top);
std::string plan_report(const Plan& plan, const Style& style, int top);
std::string profile_report(const Profile& profile, const Style& style, int top);

/// Tidy tables with one header line (RFC 4180, "\n" line ends): one row per layer and candidate; a run without
/// scores gives one row per layer of its plan, one without a plan one row per output compared.
std::string run_csv(const RunRecord& record);
std::string sensitivity_csv(const Sensitivity& scores);
std::string plan_csv(const Plan& plan);
/// One row per segment, processor and precision.
std::string profile_csv(const Profile& profile);

/// For a CI job's summary (GitHub's dialect).
std::string markdown_report(const RunRecord& record);

/// One self-contained page: no network, readable without JavaScript.
std::string html_report(const RunRecord& record, const ReportOptions& options);

}  // namespace mpq::report
