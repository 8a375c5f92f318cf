#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "commands.h"
#include "inputs.h"
#include "json_writer.h"
#include "outputs.h"
#include "session.h"
#include "stage_options.h"
#include "text_table.h"

namespace mpq::cli {
namespace {

std::string frontier_json(const Sensitivity& scores, const std::vector<FrontierPoint>& points) {
  JsonWriter json;
  json.begin_object().key("schema_version").value(std::int64_t{1}).key("model").begin_object();
  json.key("path")
      .value(scores.model.path)
      .key("sha256")
      .value(scores.model.sha256)
      .key("bytes")
      .value(scores.model.bytes);
  json.end_object().key("metric").value(scores.settings.metric).key("frontier").begin_array();
  for (const FrontierPoint& point : points) {
    json.begin_object().key("stored_bytes").value(point.stored_bytes).key("file_bytes").value(point.file_bytes);
    json.key("bits_per_weight").value(point.bits_per_weight).key("damage").value(point.damage).end_object();
  }
  return json.end_array().end_object().text();
}

/// At most `count` points, spread evenly over the bits per weight: a frontier of a large model has thousands.
std::vector<FrontierPoint> thinned(const std::vector<FrontierPoint>& points, std::size_t count) {
  if (points.size() <= count) return points;
  std::vector<FrontierPoint> result = {points.front()};
  const double low = points.front().bits_per_weight, high = points.back().bits_per_weight;
  for (const FrontierPoint& point : points) {
    const double due = low + (high - low) * static_cast<double>(result.size()) / static_cast<double>(count - 1);
    if (point.bits_per_weight >= due) result.push_back(point);
  }
  if (result.back().stored_bytes != points.back().stored_bytes) result.push_back(points.back());
  return result;
}

std::string frontier_text(const Sensitivity& scores, const std::vector<FrontierPoint>& all, const Settings& settings,
                          const Console& console) {
  constexpr std::size_t kShown = 32;
  const auto points = settings.verbose ? all : thinned(all, kShown);
  std::vector<std::vector<std::string>> rows = {
      {"bits/weight", "weights' bytes", "file bytes", "of the model", "predicted damage"}};
  for (const FrontierPoint& p : points) {
    rows.push_back(
        {fmt::format("{:.3f}", p.bits_per_weight), std::to_string(p.stored_bytes), std::to_string(p.file_bytes),
         fmt::format("{:.1f} %", 100.0 * static_cast<double>(p.file_bytes) / static_cast<double>(scores.model.bytes)),
         fmt::format("{:.4g}", p.damage)});
  }
  std::string text = text_table(rows, 0, {0, 1, 2, 3, 4}, static_cast<std::size_t>(console.width()), {1});
  if (points.size() < all.size())
    text += fmt::format("{} of {} points; -v lists them all\n", points.size(), all.size());
  return text;
}

std::string trade_offs_json(const Sensitivity& scores, const TradeOffs& trade) {
  JsonWriter json;
  json.begin_object().key("schema_version").value(std::int64_t{1}).key("processor").value(trade.processor);
  json.key("metric").value(scores.settings.metric).key("plans").begin_array();
  for (std::size_t i = 0; i < trade.sizes.size(); ++i) {
    for (std::size_t t = 0; t < trade.seconds.size(); ++t) {
      if (!trade.damage[i][t]) continue;
      json.begin_object().key("budget").value(trade.sizes[i].text).key("seconds").value(trade.seconds[t]);
      json.key("damage").value(*trade.damage[i][t]).end_object();
    }
  }
  return json.end_array().end_object().text();
}

/// Prices for plans far apart. Those around one plan would not do: on one processor they add up from floats to
/// integers.
Sensitivity priced_for_all(const Sensitivity& scores, const Profile& profile, const AllocateOptions& options) {
  Sensitivity best = price_best_times(scores, profile, Budget::parse("100%"), options);
  for (std::size_t p = 0; p < profile.processors.size(); ++p) {
    if (profile.processors[p].name == best.time.processor)
      return price_times(scores, profile, static_cast<int>(p), options);
  }
  return best;
}

/// A row per size, a column per limit of the latency, in each cell the least damage.
std::string trade_offs_of(const Sensitivity& scores, const Profile& profile, const AllocateOptions& options,
                          const Settings& settings, const Console& console) {
  constexpr std::size_t kSizes = 10, kTimes = 6;
  const Sensitivity priced = priced_for_all(scores, profile, options);
  const TradeOffs trade = trade_offs(priced, kSizes, kTimes, options);
  if (settings.json) return trade_offs_json(priced, trade);
  std::vector<std::vector<std::string>> rows = {{"size"}};
  std::vector<std::size_t> right;
  for (const double seconds : trade.seconds) {
    rows[0].push_back(fmt::format("{:.3g} ms", 1e3 * seconds));
    right.push_back(rows[0].size() - 1);
  }
  for (std::size_t i = 0; i < trade.sizes.size(); ++i) {
    std::vector<std::string>& row = rows.emplace_back(1, trade.sizes[i].text);
    for (const auto& damage : trade.damage[i]) row.push_back(damage ? fmt::format("{:.4g}", *damage) : "-");
  }
  return fmt::format("Least predicted damage by size and by latency on {}; - where no plan meets both:\n",
                     trade.processor) +
         text_table(rows, 0, right, static_cast<std::size_t>(console.width()));
}

/// A glob that matches `name` alone.
std::string exact_glob(const std::string& name) {
  std::string glob;
  for (const char c : name)
    glob += std::string("*?[]\\").find(c) == std::string::npos ? std::string(1, c) : std::string("\\") + c;
  return glob;
}

/// `plan` with only the layers changed that --what-if names: every other layer is pinned where it is.
Plan changed_alone(const Sensitivity& scores, const Plan& plan, const AllocateOptions& with_change,
                   std::size_t changes) {
  AllocateOptions pinned = with_change.without_time_budget();
  std::vector<Override> all;
  for (const PlanEntry& entry : plan.entries) all.push_back({exact_glob(entry.layer), entry.candidate, entry.reason});
  all.insert(all.end(), with_change.overrides.end() - static_cast<std::ptrdiff_t>(changes),
             with_change.overrides.end());
  pinned.overrides = std::move(all);
  pinned.uniform = false;
  constexpr double kNoLimit = 1e15;
  return allocate(scores, Budget{Budget::Unit::kBytes, kNoLimit, plan.budget}, pinned);
}

std::string what_if_text(const Sensitivity& scores, const Plan& plan, const Budget& budget,
                         const AllocateOptions& options, const Settings& settings, const Console& console) {
  AllocateOptions changed = options;
  for (const std::string& text : settings.what_if) changed.overrides.push_back(parse_override(text, "--what-if"));
  std::vector<std::vector<std::string>> rows = {{"what", "bits/weight", "file bytes", "predicted damage", "times"}};
  const auto add = [&](const std::string& what, const Plan& p) {
    const double times = plan.predicted_damage > 0 ? p.predicted_damage / plan.predicted_damage : 1;
    rows.push_back({what, fmt::format("{:.3f}", p.bits_per_weight), std::to_string(p.file_bytes),
                    fmt::format("{:.4g}", p.predicted_damage), fmt::format("{:.3g}", times)});
  };
  add("the plan", plan);
  add("only these layers changed", changed_alone(scores, plan, changed, settings.what_if.size()));
  try {
    add("and the others planned anew", allocate(scores, budget, changed));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInfeasible) throw;
    rows.push_back({"and the others planned anew", "-", "-", "no plan fits", "-"});
  }
  return fmt::format("What if {}:\n", fmt::join(settings.what_if, ", ")) +
         text_table(rows, 0, {1, 2, 3, 4}, static_cast<std::size_t>(console.width()), {1});
}

std::string plans_json(const std::vector<Plan>& plans) {
  if (plans.size() == 1) return to_json(plans[0]);
  JsonWriter json;
  json.begin_object().key("schema_version").value(std::int64_t{1}).key("plans").begin_array();
  for (const Plan& plan : plans) json.raw(to_json(plan));
  return json.end_array().end_object().text();
}

std::vector<std::string> plan_paths(const Settings& settings, const std::vector<Budget>& budgets) {
  std::vector<std::string> paths;
  if (settings.output.empty() || settings.output == "-") return paths;
  for (const Budget& budget : budgets) {
    const std::string tag = tag_of(budget, settings);
    const std::string stem = settings.positionals[0] + "-" + tag + ".plan.json";
    const std::string path = output_path(settings.output, stem);
    const bool tagged = budgets.size() > 1 && path == settings.output;
    paths.push_back(tagged ? with_tag(path, tag) : path);
  }
  return paths;
}

}  // namespace

int run_plan(const Settings& settings, Console& console) {
  const auto budgets = size_budgets(settings);
  AllocateOptions options = allocate_options(settings);
  if (budgets.empty() && !settings.frontier) {
    throw Error(ErrorCode::kUsage, "There is no budget to plan for.", "--budget",
                "For example --budget 6bit, or --frontier to see them all.");
  }
  if (!budgets.empty() && settings.frontier) {
    throw Error(ErrorCode::kUsage, "--frontier lists every budget; it does not go with --budget.", "--frontier");
  }
  const Sensitivity scores = read_scores(settings.positionals[0]);
  options.activation_ranges = !scores.data.synthetic;
  std::optional<Profile> profile;
  if (!settings.profile.empty()) profile = read_profile(settings.profile);
  if (settings.frontier && profile) {
    console.result(trade_offs_of(scores, *profile, options, settings, console));
    return 0;
  }
  if (settings.frontier) {
    const auto points = frontier(scores, options);
    console.result(settings.json ? frontier_json(scores, points) : frontier_text(scores, points, settings, console));
    return 0;
  }
  const auto paths = plan_paths(settings, budgets);
  check_outputs(paths, {settings.positionals[0], settings.profile, settings.config}, settings.force);
  std::vector<Sensitivity> priced;  // by budget, where there is a profile
  std::vector<Plan> plans;
  for (const Budget& budget : budgets) {
    if (profile) priced.push_back(price_best_times(scores, *profile, budget, options));
    plans.push_back(allocate(profile ? priced.back() : scores, budget, options));
  }
  for (std::size_t i = 0; i < paths.size(); ++i) write_report(paths[i], plans[i], {.format = "json"}, settings.force);
  if (settings.json || settings.output == "-") {
    console.result(plans_json(plans));
  } else {
    std::string text;
    for (std::size_t i = 0; i < plans.size(); ++i) {
      text += (i == 0 ? "" : "\n") + render(plans[i], terminal_report(settings, console));
      if (!settings.what_if.empty())
        text += '\n' + what_if_text(profile ? priced[i] : scores, plans[i], budgets[i], options, settings, console);
    }
    console.result(text);
  }
  for (const std::string& path : paths) console.say("wrote " + path);
  return 0;
}

}  // namespace mpq::cli
