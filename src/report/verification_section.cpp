#include "report/verification_section.h"

#include <cmath>

#include <fmt/format.h>

#include "report/numbers.h"
#include "report/sections.h"
#include "report/table.h"

namespace mpq::report {
namespace {

std::string with_error(double value, double error, const Style& style) {
  if (error <= 0) return short_number(value);
  return short_number(value) + ' ' + style.plus_minus() + short_error(error);
}

std::string damage_field(const RunRecord& record, const Style& style) {
  const Verification& v = *record.verification;
  const std::string measured = with_error(v.damage, v.damage_standard_error, style);
  std::string text;
  if (record.plan) {
    const Plan& plan = *record.plan;
    text = fmt::format("predicted {}, measured {}", with_error(plan.predicted_damage, plan.standard_error, style),
                       measured);
    if (plan.predicted_damage > 0)
      text += fmt::format(" = {:.2f} times the prediction", v.damage / plan.predicted_damage);
  } else {
    text = "measured " + measured;
  }
  text += " (" + metric_text(v.metric) + ")";
  return field("Damage", text, style);
}

std::string gap_field(const Plan& plan, const Style& style) {
  const std::string text =
      plan.optimality_gap < 5e-4
          ? "the plan's predicted damage is the least there is within the budget (bound of the linear relaxation: "
            "under 0.1 %)"
          : fmt::format("predicted damage is within {} of the linear relaxation's bound", percent(plan.optimality_gap));
  return field("Plan", text, style);
}

Table output_table(const Verification& v) {
  using Align = Column::Align;
  using Need = Column::Need;
  Table table({{"output", Align::kLeft, 12},
               {"kind", Align::kLeft, 0, Need::kRoomy},
               {"SQNR dB"},
               {"rel. MSE", Align::kRight, 0, Need::kUnlessTiny},
               {"cosine", Align::kRight, 0, Need::kUnlessTiny},
               {"max |diff|", Align::kRight, 0, Need::kRoomy},
               {"KL nats"},
               {"top-1 same"},
               {"95 % interval", Align::kRight, 0, Need::kUnlessTiny}});
  for (const OutputComparison& o : v.outputs) {
    const auto optional_number = [](const std::optional<double>& value) { return value ? short_number(*value) : "-"; };
    const std::string interval =
        o.top1_low && o.top1_high ? fmt::format("{:.2f}-{:.2f} %", 100 * *o.top1_low, 100 * *o.top1_high) : "-";
    table.add({{printable(o.name)},
               {printable(o.kind), Tone::kFaint},
               {fmt::format("{:.1f}", o.sqnr_db)},
               {short_number(o.relative_mse)},
               {fmt::format("{:.6f}", o.cosine)},
               {short_number(o.max_abs)},
               {optional_number(o.kl)},
               {o.top1_agreement ? fmt::format("{:.2f} %", 100 * *o.top1_agreement) : "-"},
               {interval, Tone::kFaint}});
  }
  return table;
}

std::string accuracy_field(const AccuracyComparison& a, const Style& style) {
  const double points = 100 * (a.quantized - a.reference);
  const bool significant = a.mcnemar_p < 0.05;
  const std::string verdict = significant ? "a significant difference" : "no significant difference";
  const std::string text = fmt::format(
      "{:.2f} % before {} {:.2f} % after ({:+.2f} points on {} labelled samples; McNemar p = {}, {})",
      100 * a.reference, style.arrow(), 100 * a.quantized, points, a.samples, short_error(a.mcnemar_p), verdict);
  return field("Accuracy", text, style);
}

std::string baseline_field(const RunRecord& record, const Style& style) {
  const double mixed = record.verification->damage, uniform = record.uniform_baseline->damage;
  std::string text = "one width everywhere, rounded to nearest: damage " + short_number(uniform);
  if (mixed > 0) text += fmt::format(", {:.2f} times this plan's", uniform / mixed);
  return field("Uniform", text, style);
}

}  // namespace

std::string verification_section(const RunRecord& record, const Style& style) {
  if (!record.verification) return "";
  const Verification& v = *record.verification;
  std::string result = field("Judged on", describe(v.data), style);
  if (record.plan && !record.plan->uniform && record.plan->predicted_damage > 0)
    result += gap_field(*record.plan, style);
  result += damage_field(record, style);
  if (record.uniform_baseline) result += baseline_field(record, style);
  if (v.accuracy) result += accuracy_field(*v.accuracy, style);
  if (!v.outputs.empty()) result += '\n' + output_table(v).render(style, 2);
  if (v.data.synthetic) result += '\n' + synthetic_warning(style);
  return result;
}

}  // namespace mpq::report
