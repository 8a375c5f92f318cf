#include "cache.h"

#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "stage_options.h"

namespace mpq::cli {
namespace {

/// What the engine is fed with. The held-out fifth makes it differ from the file.
std::string data_key(const PipelineOptions& options) {
  return calibration_key(options) + (!options.calibration || options.evaluation ? " whole" : " four fifths");
}

}  // namespace

std::string calibration_key(const PipelineOptions& options) {
  if (!options.calibration) return fmt::format("synthetic {}", options.synthetic_samples);
  return options.calibration->facts().sha256;
}

AnalysisCache::AnalysisCache(const Settings& settings, const Model& model, const PipelineOptions& options) {
  if (settings.cache.empty() || options.plan || options.scores) return;
  std::error_code error;
  std::filesystem::create_directories(settings.cache, error);
  if (error)
    throw Error(ErrorCode::kOutput, fmt::format("The folder cannot be made: {}.", error.message()), settings.cache,
                "Choose another place with --cache.");
  path_ = fmt::format("{}/{}.sensitivity.json", settings.cache,
                      analysis_key(model, std::string(version()) + ' ' + data_key(options), options.analyze));
}

void AnalysisCache::take(PipelineOptions& options, Console& console) {
  std::error_code error;
  if (path_.empty() || !std::filesystem::exists(path_, error)) return;
  try {
    const AnyRecord record = read_record(path_);
    if (const auto* scores = std::get_if<Sensitivity>(&record)) {
      options.scores = *scores;
      hit_ = true;
      console.note("the analysis is taken from " + path_);
    }
  } catch (const Error& damaged) {
    console.warn(fmt::format("{}: the kept analysis cannot be read and is worked out again: {}", path_, damaged.what()),
                 "");
  }
}

void AnalysisCache::keep(const std::vector<PipelineResult>& results, Console& console) const {
  if (path_.empty() || hit_ || results.empty() || !results[0].record.sensitivity) return;
  try {
    write_report(path_, *results[0].record.sensitivity, {.format = "json"}, /*force=*/true);
  } catch (const Error& error) {
    console.warn(fmt::format("{}: the analysis cannot be kept: {}", path_, error.what()),
                 "Choose another place with --cache.");
  }
}

}  // namespace mpq::cli
