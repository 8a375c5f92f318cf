#include "report/layer_rows.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "report/numbers.h"

namespace mpq::report {

double LayerRow::weight() const {
  if (scores != nullptr) return scores->score;
  return entry != nullptr ? entry->damage : 0;
}

double LayerRow::standard_error() const {
  if (scores != nullptr) return scores->standard_error;
  return entry != nullptr ? entry->standard_error : 0;
}

std::vector<LayerRow> layer_rows(const Sensitivity* scores, const Plan* plan) {
  std::vector<LayerRow> rows;
  std::map<std::string, std::size_t> index;
  if (scores != nullptr) {
    for (const LayerSensitivity& layer : scores->layers) {
      index.emplace(layer.layer.name, rows.size());
      rows.push_back({layer.layer.name, &layer, nullptr});
    }
  }
  if (plan != nullptr) {
    for (const PlanEntry& entry : plan->entries) {
      const auto known = index.find(entry.layer);
      if (known == index.end()) {
        rows.push_back({entry.layer, nullptr, &entry});
      } else {
        rows[known->second].entry = &entry;
      }
    }
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const LayerRow& a, const LayerRow& b) { return a.weight() > b.weight(); });
  return rows;
}

LogScale::LogScale(const std::vector<LayerRow>& rows) {
  for (const LayerRow& row : rows) {
    const double value = row.weight();
    if (!(value > 0) || !std::isfinite(value)) continue;
    high_ = std::max(high_, value);
    low_ = low_ == 0 ? value : std::min(low_, value);
  }
  constexpr double kDecades = 1e-6;
  low_ = std::max(low_, high_ * kDecades);
}

double LogScale::fraction(double value) const {
  if (!(value > 0) || high_ <= 0) return 0;
  constexpr double kShortest = 1.0 / kBarCells;
  if (high_ <= low_) return 1;
  const double position = (std::log(std::max(value, low_)) - std::log(low_)) / (std::log(high_) - std::log(low_));
  return kShortest + (1 - kShortest) * std::min(position, 1.0);
}

std::vector<Column> layer_columns(const std::string& what, const Style& style) {
  using Align = Column::Align;
  using Need = Column::Need;
  constexpr std::size_t kLeastName = 14, kLeastOp = 6, kLeastShape = 9;
  return {{"#"},
          {"layer", Align::kLeft, kLeastName},
          {"op", Align::kLeft, kLeastOp, Need::kRoomy},
          {"shape", Align::kLeft, kLeastShape, Need::kRoomy},
          {"params", Align::kRight, 0, Need::kRoomy},
          {what + ' ' + style.plus_minus() + "err", Align::kLeft},
          {"log", Align::kLeft, 0, Need::kUnlessTiny}};
}

std::vector<Cell> layer_cells(std::size_t rank, const LayerRow& row, const LogScale& scale, const Style& style) {
  const Layer* layer = row.scores != nullptr ? &row.scores->layer : nullptr;
  constexpr int kNumberCells = 8;
  std::string score = fmt::format("{:>{}}", short_number(row.weight()), kNumberCells);
  if (row.standard_error() > 0) score += std::string(" ") + style.plus_minus() + short_error(row.standard_error());
  return {{std::to_string(rank), Tone::kFaint},
          {printable(row.name)},
          {layer != nullptr ? printable(layer->op) : "-", Tone::kFaint},
          {layer != nullptr ? shape_text(layer->shape) : "-", Tone::kFaint},
          {short_count(layer != nullptr ? layer->parameters : row.entry->parameters)},
          {score},
          bar_cell(scale, row.weight(), style)};
}

Cell bar_cell(const LogScale& scale, double value, const Style& style) {
  const double fraction = scale.fraction(value);
  const Tone tone = fraction > 0.67 ? Tone::kBad : fraction > 0.34 ? Tone::kWarning : Tone::kGood;
  return {style.bar(fraction, kBarCells), tone};
}

std::size_t shown_rows(std::size_t count, int top) {
  if (top <= 0) return count;
  return std::min(count, static_cast<std::size_t>(top));
}

std::string hidden_rows_line(const std::vector<LayerRow>& rows, std::size_t shown, const Plan* plan,
                             const Style& style) {
  if (shown >= rows.size()) return "";
  std::string text = fmt::format("  {} {} less sensitive layers not shown", style.ellipsis(), rows.size() - shown);
  if (plan != nullptr && plan->predicted_damage > 0) {
    double damage = 0;
    for (std::size_t i = shown; i < rows.size(); ++i) damage += rows[i].entry != nullptr ? rows[i].entry->damage : 0;
    text += fmt::format(", together {} of the predicted damage", percent(damage / plan->predicted_damage));
  }
  return style.paint(Tone::kFaint, text) + '\n';
}

}  // namespace mpq::report
