#include "stage_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sstream>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>

#include "outputs.h"
#include "portable.h"

namespace mpq::cli {
namespace {

/// What --effort stands for. Documented in docs/cli.md.
struct Effort {
  int samples;  ///< the cap of the trials
  int pilots;   ///< layers rerun beside the adjoint
};
constexpr std::array<Effort, 5> kEfforts = {{{4, 0}, {10, 0}, {20, 0}, {64, 8}, {256, 32}}};

Error usage(const std::string& what, const std::string& where, const std::string& hint = {}) {
  return Error(ErrorCode::kUsage, what, where, hint);
}

std::vector<int> parse_bits(const std::string& list) {
  std::vector<int> result;
  std::istringstream parts(list);
  for (std::string part; std::getline(parts, part, ',');) {
    int bits = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), bits);
    if (part == "float") {
      bits = 32;
    } else if (error != std::errc() || end != part.data() + part.size() || !((bits >= 2 && bits <= 8) || bits == 16)) {
      throw usage(fmt::format("\"{}\" is no candidate width.", part), "--bits",
                  "The widths are 2 to 8, 16 and float: --bits 3,4,6,8,float");
    }
    if (std::find(result.begin(), result.end(), bits) == result.end()) result.push_back(bits);
  }
  if (result.empty()) throw usage("The list of widths is empty.", "--bits", "For example --bits 3,4,6,8,float");
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<std::string> parse_forms(const std::string& list) {
  std::vector<std::string> result;
  std::istringstream parts(list);
  for (std::string part; std::getline(parts, part, ',');) {
    if (std::find(result.begin(), result.end(), part) == result.end()) result.push_back(part);
  }
  std::sort(result.begin(), result.end());
  return result;
}

int parse_trials(const std::string& text) {
  if (text.empty() || text == "adaptive") return 0;
  constexpr int kMost = 1'000'000;
  int trials = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), trials);
  if (error != std::errc() || end != text.data() + text.size() || trials < 1 || trials > kMost) {
    throw usage(fmt::format("\"{}\" is neither a number of trials nor \"adaptive\".", text), "--trials");
  }
  return trials;
}

/// The rounding engine perturbs with the real rounding errors, the noise engine with a random law.
std::string noise_law(const Settings& settings) {
  const bool random_law = !settings.noise.empty() && settings.noise != "quantization";
  if (!settings.engine.empty() && settings.engine != "noise" && random_law) {
    throw usage(fmt::format("--engine {} prices the real rounding errors; --noise {} is a random law.", settings.engine,
                            settings.noise),
                "--noise", "Use --engine noise with it.");
  }
  if (settings.engine == "noise" && settings.noise == "quantization") {
    throw usage("--engine noise needs a random law; quantization is the real rounding error.", "--noise",
                "Choose gaussian, uniform or rademacher, or --engine rounding.");
  }
  if (!settings.noise.empty()) return settings.noise;
  return settings.engine == "noise" ? "gaussian" : "quantization";
}

/// FNV-1a, 64 bits: names a cache file; the file itself says to what it belongs.
std::uint64_t short_hash(const std::string& text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

std::string cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return std::string(cache) + "/mpq";
  const char* home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? std::string(home) + "/.cache/mpq" : std::string();
}

/// A checkpoint belongs to one process at a time: a second one that works out the same analysis keeps none. The claim
/// is a lock, so it ends with the process however that ends; the next claim of this process ends it too.
bool claim(const std::string& checkpoint) {
  static int held = -1;
  if (held >= 0) close(held);
  held = open((checkpoint + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  return held >= 0 && flock(held, LOCK_EX | LOCK_NB) == 0;
}

std::vector<OutputRole> output_roles(const Settings& settings) {
  std::vector<OutputRole> roles;
  for (const std::string& text : settings.output_weights) roles.push_back(OutputRole::parse_weight(text));
  for (const std::string& text : settings.output_kinds) roles.push_back(OutputRole::parse_kind(text));
  return roles;
}

/// What narrows the candidates says nothing to sensitivities and plans that are there already.
void check_records_given(const Settings& settings) {
  for (const auto& [file, option] : {std::pair{settings.scores, "--scores"}, std::pair{settings.plan, "--plan"}}) {
    if (file.empty()) continue;
    for (const auto& [asked, narrows] :
         {std::pair{settings.portable, "--portable"}, std::pair{settings.store == "fast", "--store fast"}}) {
      if (!asked) continue;
      throw usage(
          fmt::format("This narrows what an analysis offers, and {} {} is made already.", option, file), narrows,
          fmt::format("Give {0} to `mpq analyze`, which makes sensitivities; then leave it out here.", narrows));
    }
  }
}

}  // namespace

AnalyzeOptions analyze_options(const Settings& settings, Console& console) {
  AnalyzeOptions options;
  const auto effort = static_cast<std::size_t>(settings.effort.value_or(kDefaultEffort));
  options.noise = noise_law(settings);
  if (!settings.engine.empty()) options.engine = settings.engine;
  options.probes = static_cast<int>(settings.probes.value_or(options.probes));
  options.place = settings.place;
  options.metric = settings.metric;
  options.aggregation = settings.aggregation;
  options.trials = parse_trials(settings.trials);
  options.max_trials = static_cast<int>(settings.max_trials.value_or(kEfforts[effort - 1].samples));
  if (!settings.shard.empty()) options.shard = Shard::parse(settings.shard);
  options.pilots = kEfforts[effort - 1].pilots;
  if (!settings.bits.empty()) options.bits = parse_bits(settings.bits);
  if (!settings.forms.empty()) options.forms = parse_forms(settings.forms);
  if (!settings.store.empty()) options.store = settings.store;
  check_records_given(settings);
  make_portable(settings, options);
  options.scale_fit = settings.scale_fit;
  options.seed = static_cast<std::uint64_t>(settings.seed.value_or(1));
  options.threads = static_cast<int>(settings.threads.value_or(0));
  options.memory_limit_bytes = memory_limit(settings);
  options.outputs_glob = settings.outputs;
  options.output_roles = output_roles(settings);
  console.note(fmt::format("effort {}: {} noise at {} outputs, {}, seed {}", effort, options.noise,
                           options.place == "local" ? "each layer's own" : "the network's",
                           options.trials > 0 ? fmt::format("{} trials", options.trials)
                                              : fmt::format("adaptive trials, at most {}", options.max_trials),
                           options.seed));
  options.validate();
  return options;
}

Override parse_override(const std::string& text, const std::string& option) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    throw usage(fmt::format("\"{}\" has not the form GLOB=FORM.", text), option,
                fmt::format("For example {} 'conv1=8bit' or {} '*head*=float'.", option, option));
  }
  const std::string origin = fmt::format("{} '{}'", option, text);
  try {
    return {text.substr(0, equals), parse_candidate(text.substr(equals + 1)), origin};
  } catch (const Error& error) {
    throw usage(error.what(), origin, error.hint());
  }
}

AllocateOptions allocate_options(const Settings& settings) {
  AllocateOptions options;
  for (const std::string& text : settings.layer) options.overrides.push_back(parse_override(text, "--layer"));
  for (const std::string& glob : settings.keep) {
    options.overrides.push_back({glob, Candidate{}, fmt::format("--keep '{}'", glob)});
  }
  options.uniform = settings.uniform;
  options.divided = settings.divided;
  if (settings.divided && settings.profile.empty()) {
    throw Error(ErrorCode::kUsage, "There is nothing to divide the network by.", "--divided",
                "Give a profile of several processors with --profile.");
  }
  check_portable(settings, options);
  options.min_bits = static_cast<int>(settings.narrowest.value_or(options.min_bits));
  if (!settings.compute.empty()) options.compute = settings.compute;
  options.time_budget = latency_budget(settings);
  options.validate();
  return options;
}

VerifyOptions verify_options(const Settings& settings) {
  VerifyOptions options;
  options.metric = settings.metric;
  options.outputs_glob = settings.outputs;
  options.output_roles = output_roles(settings);
  options.threads = static_cast<int>(settings.threads.value_or(0));
  options.memory_limit_bytes = memory_limit(settings);
  options.validate();
  return options;
}

std::int64_t memory_limit(const Settings& settings) {
  if (settings.memory_limit.empty()) return 0;
  const auto refuse = [&] {
    return usage(fmt::format("\"{}\" is no amount of memory.", settings.memory_limit), "--memory-limit",
                 "Write it like 2GiB, 800MB or 500000000B.");
  };
  try {
    const Budget limit = Budget::parse(settings.memory_limit);
    if (limit.unit != Budget::Unit::kBytes || limit.value < 1) throw refuse();
    return static_cast<std::int64_t>(limit.value);
  } catch (const Error&) {
    throw refuse();
  }
}

std::vector<Budget> size_budgets(const Settings& settings) {
  std::vector<Budget> budgets;
  for (const std::string& text : settings.budgets) {
    Budget budget = Budget::parse(text);
    if (!budget.limits_time()) budgets.push_back(std::move(budget));
  }
  const bool latency_alone = budgets.empty() && !settings.budgets.empty();
  return latency_alone ? std::vector{Budget::parse("100%")} : budgets;
}

std::optional<Budget> latency_budget(const Settings& settings) {
  std::optional<Budget> latency;
  for (const std::string& text : settings.budgets) {
    Budget budget = Budget::parse(text);
    if (!budget.limits_time()) continue;
    if (latency)
      throw usage(fmt::format("{} and {} both limit the latency.", latency->text, budget.text), "--budget",
                  "Leave all but one out; sizes may be several.");
    latency = std::move(budget);
  }
  if (latency && settings.profile.empty())
    throw usage(fmt::format("A budget of {} needs times.", latency->text), "--profile",
                "Make them with `mpq profile MODEL --devices cpu:0` and give the file with --profile.");
  return latency;
}

std::string tag_of(const Budget& size, const Settings& settings) {
  const std::optional<Budget> latency = latency_budget(settings);
  if (!latency) return budget_tag(size.text);
  const std::string time = budget_tag(latency->text);
  return settings.budgets.size() == 1 ? time : budget_tag(size.text) + '-' + time;
}

std::string checkpoint_path(const Settings& settings, const Model& model, const std::string& data_sha256,
                            const AnalyzeOptions& o) {
  if (settings.checkpoint == "none") return "";
  if (!settings.checkpoint.empty()) return settings.checkpoint;
  const std::string folder = cache_folder();
  std::error_code error;
  if (folder.empty() || (!std::filesystem::create_directories(folder, error) && error)) return "";
  const std::string path = fmt::format("{}/{}.checkpoint", folder, analysis_key(model, data_sha256, o));
  return claim(path) ? path : "";
}

std::string analysis_key(const Model& model, const std::string& data, const AnalyzeOptions& o) {
  std::string key =
      fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", data, o.engine, o.noise, o.place, o.metric,
                  o.aggregation, o.quantile, o.trials, o.max_trials, o.antithetic, o.probes, o.pilots,
                  fmt::join(o.bits, ","), fmt::join(o.forms, ","), o.scale_fit, o.seed, o.outputs_glob);
  for (const Layer& layer : model.layers()) key += ' ' + layer.name;  // one file has others with --requantize
  for (const OutputRole& role : o.output_roles) key += ' ' + role.origin;
  if (o.store != "packed") key += " store " + o.store;
  if (o.portable) key += " portable";
  if (o.shard) key += ' ' + to_string(*o.shard);
  // Piece by piece there are no reruns, so that other layers may be left alone.
  if (o.memory_limit_bytes > 0) key += fmt::format(" memory {}", o.memory_limit_bytes);
  return fmt::format("{}-{:016x}", model.facts().sha256.substr(0, 16), short_hash(key));
}

std::vector<std::pair<std::string, std::string>> options_in_force(const Settings& settings,
                                                                  const AnalyzeOptions& options) {
  std::vector<std::pair<std::string, std::string>> result = settings.given;
  const auto add = [&](const std::string& name, const std::string& value) {
    const bool known = std::any_of(result.begin(), result.end(), [&](const auto& r) { return r.first == name; });
    if (!known) result.emplace_back(name, value);
  };
  add("effort", std::to_string(settings.effort.value_or(kDefaultEffort)));
  add("engine", options.engine);
  add("noise", options.noise);
  add("place", options.place);
  add("metric", options.metric);
  add("aggregation", options.aggregation);
  add("trials", options.trials == 0 ? "adaptive" : std::to_string(options.trials));
  add("max-trials", std::to_string(options.max_trials));
  add("scale-fit", options.scale_fit);
  add("rounding", settings.rounding);
  add("compute", settings.compute.empty() ? AllocateOptions().compute : settings.compute);
  add("seed", std::to_string(options.seed));
  return result;
}

}  // namespace mpq::cli
