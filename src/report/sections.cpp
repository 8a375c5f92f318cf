#include "report/sections.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "report/numbers.h"
#include "support/text.h"

namespace mpq::report {
namespace {

constexpr std::size_t kLabelWidth = 11;

std::int64_t stored_element_bytes(const std::string& dtype) {
  if (dtype == "float64") return 8;
  return dtype == "float16" || dtype == "bfloat16" ? 2 : 4;
}

std::string perturbation_text(const AnalyzeSettings& s) {
  if (s.engine == "adjoint")
    return fmt::format("rounding errors priced by reverse passes (adjoint), {} a sample", counted(s.probes, "probe"));
  return fmt::format("{} noise, {}", printable(s.noise),
                     s.place == "local" ? "measured at each layer's own output" : "measured at the network's outputs");
}

std::string trials_text(const Sensitivity& scores) {
  const AnalyzeSettings& s = scores.settings;
  if (s.engine == "adjoint")
    return counted(std::min<std::int64_t>(s.trials > 0 ? s.trials : s.max_trials, scores.data.samples), "sample");
  if (s.trials > 0) return counted(s.trials, "trial") + " per candidate";
  return fmt::format("adaptive trials, at most {} per candidate", s.max_trials);
}

/// What each output is taken for, where that is not plain from a single one.
std::string outputs_field(const Sensitivity& scores, const Style& style) {
  if (scores.measured_as.size() != scores.outputs.size() || scores.outputs.size() < 2) return "";
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < scores.outputs.size(); ++i) {
    const MeasuredAs& as = scores.measured_as[i];
    parts.push_back(fmt::format("{} ({}{})", printable(scores.outputs[i]), as.kind,
                                as.weight == 1 ? "" : fmt::format(", weight {:g}", as.weight)));
  }
  return field("Outputs", join(parts, ", "), style);
}

}  // namespace

std::string field(const std::string& label, const std::string& text, const Style& style) {
  const std::string spaces(kLabelWidth - std::min(kLabelWidth, label.size()), ' ');
  return style.paint(Tone::kHeading, label) + spaces + wrap(text, kLabelWidth, style.width()) + '\n';
}

std::string title(const std::string& command, const std::string& path, const std::string& version, const Style& style) {
  const std::string right = version.empty() ? "" : "mpq " + printable(version);
  const std::string left =
      style.shorten(fmt::format("mpq {}: {}", printable(command), printable(path)), style.width() - right.size() - 2);
  const std::size_t gap = style.width() - right.size() - display_width(left);
  return style.paint(Tone::kHeading, left) +
         (right.empty() ? "" : std::string(gap, ' ') + style.paint(Tone::kFaint, right)) + '\n' + style.rule() + '\n';
}

std::string describe(const ModelFacts& model) {
  std::string text = fmt::format("{}, {}", printable(model.path), format_bytes(model.bytes));
  if (!model.sha256.empty()) text += ", sha256 " + printable(model.sha256.substr(0, 12));
  return text;
}

std::string describe(const DataFacts& data) {
  if (data.synthetic) return counted(data.samples, "synthetic sample");
  return counted(data.samples, "sample") + " of " + printable(data.source);
}

std::string metric_text(const std::string& metric) {
  if (metric == "kl") return "Kullback-Leibler divergence of the outputs, nats";
  if (metric == "mse") return "squared error of the outputs over their mean energy";
  if (metric == "relative_l2") return "relative l2 error of the outputs";
  if (metric == "sqnr") return "noise-to-signal ratio of the outputs";
  if (metric == "cosine") return "1 - cosine similarity of the outputs";
  return printable(metric);
}

std::string plan_fields(const Plan& plan, const Style& style) {
  const std::int64_t used = plan.counts_file ? plan.file_bytes : plan.stored_bytes;
  const char* what = plan.counts_file ? "the whole file" : "the quantizable weights, scales and padding included";
  std::string text =
      fmt::format("{}: at most {} bytes for {}", printable(plan.budget), format_count(plan.limit_bytes), what);
  std::string achieved = fmt::format("{} bytes", format_count(used));
  if (plan.limit_bytes > 0) {
    achieved += fmt::format(" ({:.1f} % of the budget)",
                            100.0 * static_cast<double>(used) / static_cast<double>(plan.limit_bytes));
  }
  achieved += fmt::format(", {:.3f} bits per weight over {}", plan.bits_per_weight,
                          counted(plan.parameters, "quantizable weight"));
  if (plan.uniform) achieved += ", one width everywhere";
  std::string result = field("Budget", text, style) + field("Achieved", achieved, style);
  if (plan.time) result += field("Predicted", time_text(*plan.time), style);
  return result;
}

std::string time_text(const PlanTime& time) {
  std::string text = fmt::format("{} on {}", time_text(time.predicted_seconds), printable(time.processor));
  if (!time.budget.empty()) text += fmt::format(", at most {} asked for", printable(time.budget));
  return text + fmt::format("; float takes {}, the fastest plan of this size {}; the profile's noise is {}",
                            time_text(time.float_seconds), time_text(time.fastest_seconds), percent(time.noise));
}

std::string latency_text(const LatencyCheck& check) {
  std::string text = fmt::format("{} on {}, measured", time_text(check.seconds()), printable(check.processor));
  if (!check.budget.empty())
    text += fmt::format("; {} {}", check.is_met() ? "meets" : "misses", printable(check.budget));
  if (check.predicted_seconds > 0) text += fmt::format("; predicted {}", time_text(check.predicted_seconds));
  text += fmt::format("; the original {} beside it", time_text(check.original_seconds));
  if (check.profiled_seconds > 0) text += fmt::format(", {} in the profile", time_text(check.profiled_seconds));
  if (check.ratio() > 0) text += fmt::format(": {:.2f} of its time", check.ratio());
  if (check.load_seconds > 0)
    text += fmt::format("; loading takes {}, the original's {}", time_text(check.load_seconds),
                        time_text(check.original_load_seconds));
  if (check.repairs > 0) text += fmt::format("; {} written before it", counted(check.repairs, "slower model"));
  return text;
}

std::string drop_text(const DropSearch& search) {
  const DropLimit limit = DropLimit::parse(search.limit);
  const auto last_kept = std::find_if(search.tried.rbegin(), search.tried.rend(), [](auto& t) { return t.kept; });
  std::string text = fmt::format("{} allowed; {} measured", limit.text,
                                 counted(static_cast<std::int64_t>(search.tried.size()), "size"));
  if (last_kept == search.tried.rend()) return text;
  const std::int64_t bytes = last_kept->file_bytes;
  text += fmt::format("; the smallest that keeps it, {} bytes, gives {}", format_count(bytes),
                      limit.format(last_kept->found));
  const SizeTried* below = nullptr;
  for (const SizeTried& size : search.tried) {
    if (!size.kept && size.file_bytes < bytes && (below == nullptr || size.file_bytes > below->file_bytes))
      below = &size;
  }
  if (below == nullptr) return text;
  return text +
         fmt::format("; the next below, {} bytes, {}", format_count(below->file_bytes), limit.format(below->found));
}

std::string method_text(const Sensitivity& scores) {
  return fmt::format("{}, {}; {}; seed {}", perturbation_text(scores.settings), metric_text(scores.settings.metric),
                     trials_text(scores), scores.settings.seed);
}

std::string ranking_text(const Sensitivity& scores) {
  std::string rank =
      fmt::format("stability {:.3f} (rank correlation between two halves of the trials)", scores.rank_stability);
  if (scores.settings.trials == 0) {
    rank += scores.settled ? "; settled" : "; NOT settled when the trials ran out: --effort or --max-trials buys more";
  }
  if (!scores.agreement) return rank;
  return rank + fmt::format("; {} rerun: rank correlation {:.3f}, the adjoint's price {:.2f} of the rerun's (median)",
                            counted(scores.agreement->pairs, "candidate"), scores.agreement->rank_correlation,
                            scores.agreement->median_ratio);
}

std::string method_fields(const Sensitivity& scores, const Style& style) {
  return field("Method", method_text(scores), style) + outputs_field(scores, style) +
         field("Ranking", ranking_text(scores), style) + field("Samples", describe(scores.data), style);
}

std::string cost_field(const AnalysisCost& cost, const Style& style) {
  std::string text = fmt::format("the analysis took {} = {} forward passes ({} runs)", duration(cost.seconds),
                                 format_count(static_cast<std::int64_t>(cost.forward_equivalents + 0.5)),
                                 format_count(cost.trial_runs));
  if (cost.bound_equivalents > 0)
    text += fmt::format("; at most {} were announced",
                        format_count(static_cast<std::int64_t>(cost.bound_equivalents + 0.5)));
  if (cost.full_rerun_equivalents > cost.forward_equivalents && cost.forward_equivalents > 0) {
    text += fmt::format("; with every trial a full pass: {}, {:.1f} times as many",
                        format_count(static_cast<std::int64_t>(cost.full_rerun_equivalents + 0.5)),
                        cost.full_rerun_equivalents / cost.forward_equivalents);
  }
  return field("Cost", text, style);
}

std::string skipped_section(const std::vector<Layer>& skipped, const Style& style) {
  if (skipped.empty()) return "";
  struct Group {
    std::string reason;
    std::vector<std::string> names;
    std::int64_t bytes = 0;
  };
  std::vector<Group> groups;
  for (const Layer& layer : skipped) {
    auto group =
        std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.reason == layer.skip_reason; });
    if (group == groups.end()) group = groups.insert(groups.end(), Group{layer.skip_reason, {}, 0});
    group->names.push_back(layer.name);
    group->bytes += layer.parameters * stored_element_bytes(layer.dtype);
  }
  std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.bytes > b.bytes; });
  std::string result =
      style.paint(Tone::kHeading, fmt::format("Not quantized: {}", counted(std::ssize(skipped), "weight"))) + '\n';
  for (const Group& group : groups) {
    constexpr std::size_t kShown = 3, kCells = 28;
    std::vector<std::string> first;
    for (std::size_t i = 0; i < std::min(kShown, group.names.size()); ++i) first.push_back(printable(group.names[i]));
    std::string names = fmt::format("{}", fmt::join(shorten_names(first, kCells, style.ellipsis()), ", "));
    if (group.names.size() > kShown) names += fmt::format(" and {} more", group.names.size() - kShown);
    const std::string text = fmt::format("{}, {}: {} ({})", counted(std::ssize(group.names), "weight"),
                                         format_bytes(group.bytes), printable(group.reason), names);
    result += "  " + wrap(text, 4, style.width()) + '\n';
  }
  return result;
}

std::string synthetic_warning(const Style& style) {
  const std::string text =
      "The samples are synthetic: made from the inputs' shapes and types alone. They rank layers roughly and prove "
      "little "
      "about the model's quality on real inputs. Give real ones with --calibration and --eval.";
  return style.paint(Tone::kWarning, "Caution") + std::string(kLabelWidth - 7, ' ') +
         wrap(text, kLabelWidth, style.width()) + '\n';
}

}  // namespace mpq::report
