#include <fmt/format.h>

#include "report/layer_rows.h"
#include "report/next_step.h"
#include "report/numbers.h"
#include "report/reports.h"
#include "report/sections.h"
#include "support/text.h"

namespace mpq::report {
namespace {

Table entry_table(const Plan& plan, const std::vector<LayerRow>& rows, std::size_t shown, const Style& style) {
  using Align = Column::Align;
  using Need = Column::Need;
  std::vector<Column> columns = {{"#"},
                                 {"layer", Align::kLeft, 14},
                                 {"params", Align::kRight, 0, Need::kRoomy},
                                 {"form", Align::kLeft},
                                 {"bytes"},
                                 {"damage"},
                                 {"error", Align::kLeft},
                                 {"log", Align::kLeft, 0, Need::kUnlessTiny},
                                 {"share"}};
  if (plan.time) columns.push_back({"time"});
  columns.push_back({"why", Align::kLeft, 8, Need::kRoomy});
  Table table(columns);
  const LogScale scale(rows);
  for (std::size_t i = 0; i < shown; ++i) {
    const PlanEntry& entry = *rows[i].entry;
    std::vector<Cell> cells = {
        {std::to_string(i + 1), Tone::kFaint},
        {printable(entry.layer)},
        {short_count(entry.parameters)},
        {to_string(entry.candidate)},
        {format_count(entry.stored_bytes)},
        {short_number(entry.damage)},
        {entry.standard_error > 0 ? style.plus_minus() + short_error(entry.standard_error) : "", Tone::kFaint},
        bar_cell(scale, entry.damage, style),
        {plan.predicted_damage > 0 ? percent(entry.damage / plan.predicted_damage) : "-"}};
    if (plan.time) cells.push_back({entry.seconds == 0 ? "-" : time_text(entry.seconds)});
    cells.push_back({printable(entry.reason), Tone::kFaint});
    table.add(std::move(cells));
  }
  return table;
}

/// What a model's metadata tells of its plan: the forms alone.
std::string forms_report(const Plan& plan, const Style& style, int top) {
  using Align = Column::Align;
  Table table({{"layer", Align::kLeft, 14}, {"form", Align::kLeft}});
  const std::size_t shown = shown_rows(plan.entries.size(), top);
  for (std::size_t i = 0; i < shown; ++i) {
    table.add({{printable(plan.entries[i].layer)}, {to_string(plan.entries[i].candidate)}});
  }
  std::string result = field("Model", describe(plan.model), style) + field("Budget", printable(plan.budget), style);
  result += '\n' + table.render(style);
  if (shown < plan.entries.size()) {
    result +=
        style.paint(Tone::kFaint, fmt::format("  {} {} more layers\n", style.ellipsis(), plan.entries.size() - shown));
  }
  return result;
}

}  // namespace

std::string plan_report(const Plan& plan, const Style& style, int top) {
  if (plan.parameters == 0) return forms_report(plan, style, top);
  std::string result = title("plan", plan.model.path, "", style);
  result += field("Model", describe(plan.model), style) + plan_fields(plan, style);
  result += field("File", format_count(plan.file_bytes) + " bytes when written", style);
  std::string damage = short_number(plan.predicted_damage);
  if (plan.standard_error > 0) damage += fmt::format(" {}{}", style.plus_minus(), short_error(plan.standard_error));
  damage += fmt::format(" predicted; the linear relaxation's bound is {} (gap {})", short_number(plan.lower_bound),
                        percent(plan.optimality_gap));
  result += field("Damage", damage, style);
  const auto rows = layer_rows(nullptr, &plan);
  const std::size_t shown = shown_rows(rows.size(), top);
  result += '\n' + entry_table(plan, rows, shown, style).render(style) + hidden_rows_line(rows, shown, &plan, style);
  const NextStep next = next_step(plan);
  return result + '\n' + field("Next", next.why + ":", style) + "  " + style.paint(Tone::kGood, next.command) + '\n';
}

}  // namespace mpq::report
