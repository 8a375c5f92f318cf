#include <fmt/format.h>

#include "report/html/svg.h"
#include "report/html/view.h"
#include "report/markup.h"
#include "report/next_step.h"
#include "report/numbers.h"
#include "report/sections.h"
#include "report/style.h"
#include "support/text.h"

namespace mpq::report::html {
namespace {

std::string tile(const std::string& label, const std::string& value, const std::string& detail) {
  return fmt::format(
      "<div class=\"tile\"><div class=\"label\">{}</div><div class=\"value\">{}</div>"
      "<div class=\"detail\">{}</div></div>\n",
      label, value, detail);
}

std::string file_tile(const View& view) {
  if (!view.record.output && view.plan == nullptr) return "";
  const std::int64_t before = view.record.model.bytes;
  const std::int64_t after = view.record.output ? view.record.output->bytes : view.plan->file_bytes;
  const auto ratio = after > 0 ? static_cast<double>(before) / static_cast<double>(after) : 0;
  return tile(
      "File", format_bytes(after),
      fmt::format("from {}: {:.1f} %, {:.2f} times smaller", format_bytes(before), ratio > 0 ? 100 / ratio : 0, ratio));
}

std::string measured_tiles(const View& view) {
  const Verification& v = *view.record.verification;
  std::string text;
  if (v.accuracy) {
    const AccuracyComparison& a = *v.accuracy;
    text += tile("Accuracy", fmt::format("{:.2f} %", 100 * a.quantized),
                 fmt::format("{:.2f} % before; {} (p = {})", 100 * a.reference,
                             a.mcnemar_p < 0.05 ? "a significant difference" : "no significant difference",
                             short_error(a.mcnemar_p)));
  }
  text += tile("Damage, measured", short_number(v.damage),
               view.plan != nullptr ? "predicted " + with_error(view.plan->predicted_damage, view.plan->standard_error)
                                    : markup_text(metric_text(v.metric)));
  if (v.outputs.empty()) return text;
  const OutputComparison& o = v.outputs.front();
  if (o.top1_agreement && o.top1_low && o.top1_high)
    return text + tile("Same top answer", fmt::format("{:.2f} %", 100 * *o.top1_agreement),
                       fmt::format("95 % interval {:.2f} to {:.2f} %", 100 * *o.top1_low, 100 * *o.top1_high));
  return text + tile("SQNR", fmt::format("{:.1f} dB", o.sqnr_db), "of output " + markup_text(o.name));
}

std::string latency_tile(const LatencyCheck& check) {
  std::string text = check.budget.empty() ? "" : "budget " + check.budget + ", ";
  if (check.predicted_seconds > 0) text += "predicted " + time_text(check.predicted_seconds) + ", ";
  text += fmt::format("{:.2f} of the original's", check.ratio());
  return tile("Latency", time_text(check.seconds()), markup_text(text + " on " + check.processor));
}

std::string definition(const std::string& name, const std::string& value) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>\n", markup_text(name), markup_text(value));
}

}  // namespace

std::string tiles(const View& view) {
  std::string text = file_tile(view);
  if (view.plan != nullptr)
    text += tile("Bits per weight", fmt::format("{:.3f}", view.plan->bits_per_weight),
                 "budget " + markup_text(view.plan->budget) + ", scales and padding included");
  if (view.record.latency) text += latency_tile(*view.record.latency);
  if (view.record.verification) text += measured_tiles(view);
  if (view.scores != nullptr && view.plan == nullptr) {
    text += tile("Layers", std::to_string(view.scores->layers.size()), "can be quantized");
    text += tile("Ranking", fmt::format("{:.3f}", view.scores->rank_stability),
                 "rank correlation between two halves of the trials");
  }
  return text.empty() ? "" : "<div class=\"tiles\">\n" + text + "</div>\n";
}

std::string facts(const View& view) {
  const RunRecord& r = view.record;
  std::string list = definition("Model", describe(r.model));
  if (r.output) list += definition("Written", describe(*r.output));
  if (r.latency) list += definition("Latency", latency_text(*r.latency));
  if (view.scores != nullptr) {
    list += definition("Method", method_text(*view.scores));
    list += definition("Samples", describe(view.scores->data));
    list += definition("Ranking", ranking_text(*view.scores));
  }
  double seconds = 0;
  for (const auto& [stage, time] : r.timings_seconds) seconds += time;
  if (seconds > 0) list += definition("Time", duration(seconds));
  if (r.peak_memory_bytes > 0) list += definition("Peak memory", format_bytes(r.peak_memory_bytes));
  for (const auto& [name, value] : r.environment) list += definition(name, value);
  for (const auto& [name, value] : r.options) list += definition("--" + name, value);
  return card("facts", "This run", "What was run, with what, on what.", "<dl class=\"facts\">\n" + list + "</dl>\n");
}

}  // namespace mpq::report::html
