#include "report/next_step.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/style.h"

namespace mpq::report {
namespace {

/// Damage figures under which a model counts as unharmed, and above which as badly harmed, per metric family.
struct Bounds {
  double harmless, bad;
};

Bounds bounds_of(const std::string& metric) {
  if (metric == "relative_l2") return {0.03, 0.3};
  return {1e-3, 0.05};
}

/// The layer with the largest part of the predicted damage that still has somewhere to go.
const PlanEntry* costliest(const Plan& plan) {
  const PlanEntry* worst = nullptr;
  for (const PlanEntry& entry : plan.entries) {
    if (entry.candidate.bits >= 16) continue;
    if (worst == nullptr || entry.damage > worst->damage) worst = &entry;
  }
  return worst;
}

bool harmed(const Verification& v) {
  if (v.accuracy) return v.accuracy->mcnemar_p < 0.05 && v.accuracy->quantized < v.accuracy->reference;
  return v.damage > bounds_of(v.metric).bad;
}

bool unharmed(const Verification& v) {
  if (v.accuracy && v.accuracy->quantized < v.accuracy->reference && v.accuracy->mcnemar_p < 0.05) return false;
  return v.damage < bounds_of(v.metric).harmless;
}

std::string quantize_command(const RunRecord& record, const std::string& budget, const std::string& extra) {
  const bool real = record.sensitivity && !record.sensitivity->data.synthetic;
  std::string command = fmt::format("mpq quantize {} --budget {}", model_words(record), budget);
  if (record.plan->time && !record.plan->time->budget.empty())
    command += " --budget " + shell_word(record.plan->time->budget) + " --profile model.profile.json";
  if (real) command += " --calibration " + shell_word(record.sensitivity->data.source);
  for (const auto& [name, value] : record.options) {
    if (name == "eval" || name == "labels") command += fmt::format(" --{} {}", name, shell_word(value));
  }
  return command + extra;
}

/// The achieved bits lie a little under the budget that was asked for.
std::string bits_budget(double bits) { return fmt::format("{:g}bit", std::max(2.0, std::round(bits))); }

NextStep frontier_step(const std::string& scores) {
  return {"Every size this analysis can reach, and what it costs",
          fmt::format("mpq plan {} --frontier", shell_word(scores))};
}

/// A glob that matches `name` alone.
std::string exact_glob(const std::string& name) {
  std::string glob;
  for (const char c : name) {
    if (std::string("*?[]\\").find(c) != std::string::npos) glob += '\\';
    glob += c;
  }
  return glob;
}

}  // namespace

std::string model_words(const RunRecord& record) {
  const std::pair<std::string, std::string> flag{"requantize", "true"};
  const bool given = std::find(record.options.begin(), record.options.end(), flag) != record.options.end();
  return shell_word(record.model.path) + (given ? " --requantize" : "");
}

std::string shell_word(const std::string& text) {
  const std::string shown = printable(text);
  const bool plain = !shown.empty() && shown.find_first_not_of(
                                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                           "0123456789_-./=:,+@%") == std::string::npos;
  if (plain) return shown;
  std::string quoted = "'";
  for (const char c : shown) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string sensitivity_file(const RunRecord& record) {
  for (const auto& [name, value] : record.options) {
    if (name == "output" && value.ends_with(".json")) return value;
  }
  return record.model.path + ".sensitivity.json";
}

NextStep next_step(const RunRecord& record) {
  const bool synthetic = (record.sensitivity && record.sensitivity->data.synthetic) ||
                         (record.verification && record.verification->data.synthetic);
  if (record.plan && synthetic) {
    return {"Better ranking and figures that mean something need real inputs",
            fmt::format("mpq quantize {} {} --calibration inputs.npz", model_words(record),
                        record.drop_search ? "--max-drop " + shell_word(record.drop_search->limit)
                                           : "--budget " + shell_word(record.plan->budget))};
  }
  if (!record.plan && !record.verification && record.sensitivity) return frontier_step(sensitivity_file(record));
  if (!record.plan) {
    return {"Which layers cost the most", fmt::format("mpq analyze {}", model_words(record))};
  }
  const double bits = record.plan->bits_per_weight;
  if (record.verification && harmed(*record.verification)) {
    const PlanEntry* worst = costliest(*record.plan);
    if (worst != nullptr && worst->damage > 0.5 * record.plan->predicted_damage) {
      return {
          "One layer causes most of the damage; see what it costs to spare it",
          quantize_command(record, shell_word(record.plan->budget), " --keep " + shell_word(exact_glob(worst->layer)))};
    }
    return {"The model is harmed; see what one more bit per weight buys",
            quantize_command(record, bits_budget(bits + 1), "")};
  }
  if (record.verification && unharmed(*record.verification) && bits > 3) {
    return {"The model is nearly unharmed; a smaller budget may do",
            quantize_command(record, bits_budget(bits - 1), "")};
  }
  if (record.output) {
    return {"Judge the written file on data of your own",
            fmt::format("mpq verify {} {} --data inputs.npz", shell_word(record.model.path),
                        shell_word(record.output->path))};
  }
  return {"Write this plan's model", quantize_command(record, shell_word(record.plan->budget), "")};
}

NextStep next_step(const Sensitivity& scores) { return frontier_step(scores.model.path + ".sensitivity.json"); }

NextStep next_step(const Plan& plan) {
  return {"Write this plan's model, once the plan is saved with -o",
          fmt::format("mpq quantize {} --plan chosen.plan.json", shell_word(plan.model.path))};
}

}  // namespace mpq::report
