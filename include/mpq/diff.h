#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mpq/report.h"

namespace mpq {

/// A figure with its standard error (0 where there is none).
struct Estimate {
  double value = 0;
  double standard_error = 0;
};

/// A figure in both records; absent where one does not hold it.
struct FigureChange {
  std::string name;  ///< "file bytes", "measured damage", ...
  std::optional<Estimate> before, after;
  bool estimated = false;  ///< a measurement with an error, not a count
};

/// One layer in both records; forms and scores are absent where a record holds none.
struct LayerChange {
  enum class Kind { kSame, kChanged, kAdded, kGone };
  std::string layer;
  Kind kind = Kind::kSame;
  std::optional<Candidate> before_form, after_form;
  std::optional<std::int64_t> before_bytes, after_bytes;
  std::optional<Estimate> before_score, after_score;

  bool form_changed() const { return before_form && after_form && !(*before_form == *after_form); }
};

struct RecordDiff {
  ModelFacts before, after;
  bool same_settings = true;  ///< the sensitivities were found in the same way, so scores may be compared
  /// Spearman correlation of the scores of the layers that both records rank: 1 where they order them alike. Whatever
  /// the settings, since it compares orders. Absent with fewer than three such layers.
  std::optional<double> rank_correlation;
  std::vector<FigureChange> figures;
  std::vector<LayerChange> layers;  ///< the first record's layers in their order, then the added ones
};

/// Two estimates differ beyond their errors: by more than 1.96 standard errors of their difference.
bool beyond_errors(const Estimate& a, const Estimate& b);

/// Compares two records of any kind: runs, analyses, plans.
RecordDiff diff(const AnyRecord& before, const AnyRecord& after);

/// Renders it: "table" | "json" | "md". Layers that are the same are counted, not listed. Throws Error{kUsage}.
std::string render(const RecordDiff& diff, const ReportOptions& options);

}  // namespace mpq
