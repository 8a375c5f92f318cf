#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace mpq::cli {

/// Bits of the commands an option belongs to.
enum CommandBit : unsigned {
  kQuantize = 1U << 0,
  kInspect = 1U << 1,
  kAnalyze = 1U << 2,
  kPlan = 1U << 3,
  kVerify = 1U << 4,
  kReport = 1U << 5,
  kDiff = 1U << 6,
  kCheck = 1U << 7,
  kCompletion = 1U << 8,
  kProfile = 1U << 9,
  kRun = 1U << 10,
  kMan = 1U << 11,
  kMerge = 1U << 12,
  kEveryCommand = (1U << 13) - 1
};

/// What the user asked for: every option of every command, at its default until something sets it.
struct Settings {
  std::vector<std::string> positionals;

  std::string output, calibration, evaluation, labels, data, image_preset = "imagenet", scores, plan, report_json;
  std::optional<std::int64_t> samples;
  bool force = false;

  std::vector<std::string> budgets, layer, keep, what_if;
  std::string bits, forms, store, compute, scale_fit = "mse", rounding = "auto";
  bool uniform = false, dry_run = false, frontier = false, divided = false, portable = false, requantize = false;

  std::optional<std::int64_t> effort, max_trials, narrowest, probes, threads, seed;
  std::string engine, noise, trials, metric = "auto", place = "network", aggregation = "mean", outputs, checkpoint,
                                     shard;

  std::string max_bytes, max_drop, min_sqnr, min_top1_agreement, max_regression, baseline, junit;
  std::vector<std::string> min_bits;

  std::vector<std::string> output_weights, output_kinds;

  std::string output_dir, cache, float_model, dump_weights, memory_limit;
  bool kernels = false;
  std::string devices, precisions, openvino_library, webgpu_library;
  std::optional<std::int64_t> repeats;

  std::string profile, task, inputs, html, latency_limit, precision;
  std::optional<std::int64_t> requests;
  bool explain = false;

  bool json_lines = false;

  std::string config, progress = "auto", color = "auto", log_file, format = "table";
  bool json = false, quiet = false, verbose = false, help = false, print_config = false;

  /// What was set, in the order it was: option name -> value as written (of a flag: true or false); a repeated option
  /// stands here repeatedly.
  std::vector<std::pair<std::string, std::string>> given;
  /// Options set on the command line or in the environment: no file goes over them.
  std::set<std::string> fixed;
};

/// One row of the table that the command line, the environment, the configuration file and the help are made from.
struct Option {
  using Target = std::variant<bool Settings::*, std::string Settings::*, std::vector<std::string> Settings::*,
                              std::optional<std::int64_t> Settings::*>;
  enum class Group { kFiles, kPlan, kGates, kAnalysis, kRun };

  const char* name;   ///< "budget": --budget, MPQ_BUDGET, and `budget = ...` in the configuration file
  char letter;        ///< 'o' for -o; 0 for none
  const char* value;  ///< placeholder in the help; "a|b|c" in lower case is the list of values allowed; "" for a flag
  const char* help;
  unsigned commands;
  Group group;
  Target target;
  std::int64_t least = 0, most = 0;  ///< whole numbers only

  bool is_flag() const { return std::holds_alternative<bool Settings::*>(target); }
  bool is_list() const { return std::holds_alternative<std::vector<std::string> Settings::*>(target); }
};

std::span<const Option> option_table();
/// The option of that name that one of the commands takes: --format means something else in every command.
const Option* find_option(const std::string& name, unsigned commands = kEveryCommand);
/// The values a placeholder such as "auto|float|int8" allows; empty when it is none such.
std::vector<std::string> allowed_values(const Option& option);
/// "MPQ_MAX_TRIALS" for "max-trials".
std::string environment_name(const Option& option);

/// Stores `values`, written by the user as `origin` ("--seed", "MPQ_SEED", "mpq.toml: seed"), after checking them.
/// Throws Error{kUsage}.
void assign(const Option& option, const std::vector<std::string>& values, const std::string& origin,
            Settings& settings);

}  // namespace mpq::cli
