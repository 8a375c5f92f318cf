#pragma once

#include <string>
#include <vector>

#include "mpq/mpq.h"

#include "console.h"
#include "options.h"

namespace mpq::cli {

/// Names the calibration data of a run; made-up samples by their number.
std::string calibration_key(const PipelineOptions& options);

/// Analyses kept in a folder (--cache): one file per model, data and options, named by their hash. Files are written
/// under another name and renamed, so that any number of processes may share the folder: the worst that happens is
/// that two work out the same analysis. Whole files are trusted as far as the records' reader does; a damaged one is
/// worked out again.
class AnalysisCache {
 public:
  /// Throws Error{kOutput} when the folder cannot be made.
  AnalysisCache(const Settings& settings, const Model& model, const PipelineOptions& options);

  /// Gives the pipeline a kept analysis, where there is one and none was given.
  void take(PipelineOptions& options, Console& console);
  /// Keeps what the run has found, unless it came from here.
  void keep(const std::vector<PipelineResult>& results, Console& console) const;

 private:
  std::string path_;  ///< empty: nothing is kept
  bool hit_ = false;
};

}  // namespace mpq::cli
