#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mpq/mpq.h"

#include "console.h"
#include "options.h"

namespace mpq::cli {

constexpr int kDefaultEffort = 3;

/// The options of each stage, from what the user said. Throw Error{kUsage}.
AnalyzeOptions analyze_options(const Settings& settings, Console& console);
AllocateOptions allocate_options(const Settings& settings);
VerifyOptions verify_options(const Settings& settings);
/// What --memory-limit says; 0 without it.
std::int64_t memory_limit(const Settings& settings);
/// What --budget says of sizes; with a latency alone, the original size.
std::vector<Budget> size_budgets(const Settings& settings);
/// What --budget says of the latency: at most one, and only with --profile.
std::optional<Budget> latency_budget(const Settings& settings);
/// The part of a file's name that stands for a size and the latency: "6bit-8ms".
std::string tag_of(const Budget& size, const Settings& settings);
/// "GLOB=4bit" from --layer or --what-if.
Override parse_override(const std::string& text, const std::string& option);

/// Where an interrupted analysis is kept: what --checkpoint says, else a file in the user's cache folder whose name
/// stands for model, data and settings. Empty when there is no place for it.
std::string checkpoint_path(const Settings& settings, const Model& model, const std::string& data_sha256,
                            const AnalyzeOptions& options);

/// Stands for a model, the data an analysis is fed with, and the options that change its result: a file's name.
std::string analysis_key(const Model& model, const std::string& data, const AnalyzeOptions& options);

/// The options in force, for the run record.
std::vector<std::pair<std::string, std::string>> options_in_force(const Settings& settings,
                                                                  const AnalyzeOptions& options);

}  // namespace mpq::cli
