#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "report/html/svg.h"
#include "report/html/view.h"
#include "report/markup.h"
#include "report/numbers.h"

// Damage of every layer at every width: rows in the model's order, dark cells hurt, the ring is the plan's choice.

namespace mpq::report::html {
namespace {

constexpr std::size_t kMostRows = 150;
constexpr int kShades = 9;

/// The rows that fit: all, or the most sensitive, in the model's order.
std::vector<LayerRow> shown_rows(const View& view) {
  std::vector<LayerRow> rows = view.deep;
  std::erase_if(rows, [](const LayerRow& row) { return row.scores == nullptr; });
  if (rows.size() <= kMostRows) return rows;
  std::set<std::string> names;
  for (std::size_t i = 0; i < kMostRows; ++i) names.insert(view.ranked[i].name);
  std::erase_if(rows, [&](const LayerRow& row) { return names.count(row.name) == 0; });
  return rows;
}

/// Of every width the form of least damage.
std::map<int, const CandidateScore*> best_forms(const LayerSensitivity& layer) {
  std::map<int, const CandidateScore*> best;
  for (const CandidateScore& score : layer.candidates) {
    const CandidateScore*& known = best[score.candidate.bits];
    if (known == nullptr || score.damage < known->damage) known = &score;
  }
  return best;
}

/// The form that stands for a width: the plan's own where it chose this width.
const CandidateScore* shown_form(const LayerRow& row, int bits) {
  if (row.entry != nullptr && row.entry->candidate.bits == bits) {
    for (const CandidateScore& score : row.scores->candidates) {
      if (score.candidate == row.entry->candidate) return &score;
    }
  }
  const auto forms = best_forms(*row.scores);
  const auto found = forms.find(bits);
  return found == forms.end() ? nullptr : found->second;
}

class Shades {
 public:
  Shades(const std::vector<LayerRow>& rows, const std::set<int>& widths) : axis_(axis_of(rows, widths)) {}
  int of(double damage) const {
    if (!(damage > axis_.low())) return 0;
    return std::min(kShades - 1, static_cast<int>(axis_.at(damage, 0, kShades)));
  }
  const Axis& axis() const { return axis_; }

 private:
  static Axis axis_of(const std::vector<LayerRow>& rows, const std::set<int>& widths) {
    std::vector<double> values;
    for (const LayerRow& row : rows) {
      for (const int bits : widths) {
        if (const auto* score = shown_form(row, bits)) values.push_back(score->damage);
      }
    }
    return damage_axis(values, 6);
  }
  Axis axis_;
};

std::string width_name(int bits) { return bits == 32 ? "float" : bits == 16 ? "half" : std::to_string(bits); }

std::string legend(const Shades& shades) {
  std::string text = fmt::format("<p class=\"legend\">damage {} or less ", shades.axis().ticks().front().label);
  for (int shade = 0; shade < kShades; ++shade) text += fmt::format("<span class=\"key h{}\"></span>", shade);
  text += fmt::format(" {}", shades.axis().ticks().back().label);
  return text + " <span class=\"key box\"></span>chosen width</p>\n";
}

/// The script puts the layer's name before the title: hundreds of names would make the page large.
std::string cell(const LayerRow& row, const CandidateScore& score, double x, double width, double height, int shade) {
  const bool is_chosen = row.entry != nullptr && row.entry->candidate == score.candidate;
  return fmt::format(
      "<rect class=\"cell h{}{}\" data-b=\"{}\" x=\"{}\" y=\"1\" width=\"{}\" height=\"{}\"><title>{}: "
      "{}</title></rect>\n",
      shade, is_chosen ? " pickedcell" : "", score.candidate.bits, percent_of(x + 0.15), percent_of(width - 0.3),
      coordinate(height - 2), to_string(score.candidate), with_error(score.damage, score.standard_error));
}

}  // namespace

std::string heat_card(const View& view) {
  if (view.scores == nullptr) return "";
  const std::vector<LayerRow> rows = shown_rows(view);
  auto depth = depths(view);
  std::set<int> widths;
  for (const LayerRow& row : rows) {
    for (const CandidateScore& score : row.scores->candidates) widths.insert(score.candidate.bits);
  }
  widths.erase(32);  // no damage by definition
  if (rows.empty() || widths.empty()) return "";
  const Shades shades(rows, widths);
  const double row_height = 20;
  const double column = 100.0 / static_cast<double>(widths.size());
  constexpr double kHead = 22;
  std::string names = "<li class=\"head\"></li>\n";
  std::string svg = fmt::format(
      "<svg class=\"chart heat\" role=\"img\" aria-label=\"Damage of every layer at every "
      "width\" width=\"100%\" height=\"{}\">\n",
      coordinate(kHead + row_height * static_cast<double>(rows.size())));
  double x = 0;
  for (const int bits : widths) {
    svg += fmt::format("<text class=\"tick mid\" x=\"{}\" y=\"15\">{}</text>", percent_of(x + column / 2),
                       width_name(bits));
    x += column;
  }
  double y = kHead;
  for (const LayerRow& row : rows) {
    names += fmt::format("<li title=\"{}\">{}</li>\n", markup_text(row.name), markup_text(view.labels.at(row.name)));
    svg += fmt::format("<g data-i=\"{}\" transform=\"translate(0 {})\">\n", depth[row.name], coordinate(y));
    x = 0;
    for (const int bits : widths) {
      const CandidateScore* score = shown_form(row, bits);
      if (score != nullptr) svg += cell(row, *score, x, column, row_height, shades.of(score->damage));
      x += column;
    }
    svg += "</g>\n";
    y += row_height;
  }
  std::string lead = "Damage of each layer alone at each width in bits, in the model's order.";
  if (rows.size() < view.deep.size())
    lead += fmt::format(" The {} most sensitive of {} layers.", rows.size(), view.deep.size());
  return card("heat", "Layer by width", lead,
              legend(shades) + "<div class=\"still rows heatrows\"><ol class=\"names\">\n" + names + "</ol>" + svg +
                  "</svg></div>\n");
}

}  // namespace mpq::report::html
