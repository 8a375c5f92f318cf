#pragma once

#include <string>
#include <variant>
#include <vector>

#include "mpq/profile.h"
#include "mpq/run_record.h"

namespace mpq {

struct ReportOptions {
  std::string format = "table";  ///< "table" | "json" | "csv" | "md" | "html" | "junit"
  bool color = false;
  bool unicode = true;  ///< table: block characters for bars; false = ASCII only
  int width = 100;      ///< terminal columns
  int top = 0;          ///< table: show so many layers; 0 = all
  /// HTML: the plans of the frontier and those of one width everywhere (mpq::frontier_plans), both by rising bytes.
  /// Without them the page has no frontier chart.
  std::vector<Plan> frontier = {}, uniforms = {};
};

/// Reads any record mpq writes (run, sensitivity, plan or profile), told apart by their keys. Throws
/// Error{kInvalidInput}.
using AnyRecord = std::variant<RunRecord, Sensitivity, Plan, Profile>;
AnyRecord read_record(const std::string& path);

/// Renders a record. Throws Error{kUsage} for an unknown format, and for one that a profile does not have (it has
/// table, json and csv).
std::string render(const AnyRecord& record, const ReportOptions& options);

/// Renders a record into a file, atomically. Throws Error{kOutput}, also when `path` exists and `force` is false.
void write_report(const std::string& path, const AnyRecord& record, const ReportOptions& options, bool force);

}  // namespace mpq
