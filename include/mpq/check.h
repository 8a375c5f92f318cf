#pragma once

#include <string>
#include <vector>

#include "mpq/run_record.h"

namespace mpq {

/// One demand on a run, as a script states it.
///
///   max-bytes           12MB, 900kB, 25%, 4x     bytes of the written model; % and x relative to the original
///   max-drop            0.5%                     accuracy lost in points; without labels the share of top-1 answers
///                                                that changed
///   min-sqnr            30dB                     signal-to-noise ratio of every output
///   min-top1-agreement  99%                      of every output that has classes
///   min-bits            GLOB=4                   width of every layer that matches
///   max-regression      5%                       growth of the file and of the damage against a baseline run
///
/// Where a figure is an estimate with an interval, its pessimistic end (95 %) is compared.
struct Gate {
  enum class Severity { kOff, kWarn, kError };
  std::string name;
  std::string limit;  ///< as written, without the severity
  Severity severity = Severity::kError;

  /// `text` is "LIMIT", "warn:LIMIT", "error:LIMIT" or "off". Throws Error{kUsage} for a limit that cannot be meant.
  static Gate parse(const std::string& name, const std::string& text);
};

struct GateResult {
  enum class Verdict { kPassed, kWarned, kFailed };
  Verdict verdict = Verdict::kPassed;
  std::string name;     ///< of the gate
  std::string subject;  ///< the output, layer or figure it is about; may be empty
  std::string limit;    ///< what was demanded, in words
  std::string found;    ///< what was found, in words
  std::string hint;     ///< what to do; empty when passed
};

/// Judges a run. A figure that the record does not hold fails its gate: a check that cannot be made has not passed.
/// Gates that are off give no result. Throws Error{kUsage} for `max-regression` without a baseline and for a glob
/// that matches no layer.
std::vector<GateResult> check(const RunRecord& record, const std::vector<Gate>& gates,
                              const RunRecord* baseline = nullptr);

/// What holds of every good run, without any demand of the user: the budget is kept, every measured figure is a number.
std::vector<GateResult> self_check(const RunRecord& record);

bool passed(const std::vector<GateResult>& results);

struct CheckReportOptions {
  std::string format = "table";  ///< "table" | "json" | "md" | "github" | "junit"
  bool color = false;
  bool unicode = true;
  int width = 100;
};

/// The verdicts: lines for a terminal, one JSON document, a Markdown summary, GitHub Actions annotations, JUnit XML.
/// `path` is the record's file, which the annotations point at. Throws Error{kUsage} for an unknown format.
std::string render(const std::vector<GateResult>& results, const RunRecord& record, const std::string& path,
                   const CheckReportOptions& options);

/// Renders them into a file, atomically. Throws Error{kOutput}, also when `path` exists and `force` is false.
void write_report(const std::string& path, const std::vector<GateResult>& results, const RunRecord& record,
                  const CheckReportOptions& options, bool force);

}  // namespace mpq
