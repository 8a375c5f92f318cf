#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "report/layer_rows.h"
#include "report/next_step.h"
#include "report/numbers.h"
#include "report/reports.h"
#include "report/sections.h"

namespace mpq::report {
namespace {

/// The widths whose damage gets a column: of those offered, the ones that tell most, in this order of preference.
std::vector<int> widths_to_show(const Sensitivity& scores) {
  constexpr std::array<int, 5> kPreferred = {4, 8, 2, 6, 3};
  constexpr std::size_t kColumns = 3;
  std::vector<int> result;
  for (const int bits : kPreferred) {
    const auto& offered = scores.settings.bits;
    if (result.size() < kColumns && std::find(offered.begin(), offered.end(), bits) != offered.end())
      result.push_back(bits);
  }
  std::sort(result.begin(), result.end());
  return result;
}

/// The damage of the layer's one-scale-per-channel grid of this width.
std::string damage_at(const LayerSensitivity& layer, int bits) {
  for (const CandidateScore& score : layer.candidates) {
    if (score.candidate.bits == bits && score.candidate.block == 0) return short_number(score.damage);
  }
  return "-";
}

Table score_table(const Sensitivity& scores, const std::vector<LayerRow>& rows, std::size_t shown, const Style& style) {
  const std::vector<int> widths = widths_to_show(scores);
  std::vector<Column> columns = layer_columns("sensitivity", style);
  for (const int bits : widths)
    columns.push_back({fmt::format("at {} bit", bits), Column::Align::kRight, 0, Column::Need::kRoomy});
  Table table(columns);
  const LogScale scale(rows);
  for (std::size_t i = 0; i < shown; ++i) {
    std::vector<Cell> cells = layer_cells(i + 1, rows[i], scale, style);
    for (const int bits : widths) cells.push_back({damage_at(*rows[i].scores, bits)});
    table.add(std::move(cells));
  }
  return table;
}

}  // namespace

std::string sensitivity_report(const Sensitivity& scores, const Style& style, int top) {
  std::string result = title("analyze", scores.model.path, "", style);
  result += field("Model", describe(scores.model), style) + method_fields(scores, style);
  const auto rows = layer_rows(&scores, nullptr);
  const std::size_t shown = shown_rows(rows.size(), top);
  result +=
      '\n' + score_table(scores, rows, shown, style).render(style) + hidden_rows_line(rows, shown, nullptr, style);
  if (!scores.skipped.empty()) result += '\n' + skipped_section(scores.skipped, style);
  if (scores.data.synthetic) result += '\n' + synthetic_warning(style);
  const NextStep next = next_step(scores);
  return result + '\n' + field("Next", next.why + ":", style) + "  " + style.paint(Tone::kGood, next.command) + '\n';
}

}  // namespace mpq::report
