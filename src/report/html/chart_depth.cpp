#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "report/html/svg.h"
#include "report/html/view.h"
#include "report/markup.h"
#include "report/numbers.h"
#include "support/text.h"

// The width of every layer along the depth of the network.

namespace mpq::report::html {
namespace {

constexpr double kTop = 14, kBottom = 214, kHeight = 238;
constexpr std::array<int, 9> kLevels = {2, 3, 4, 5, 6, 7, 8, 16, 32};

/// Widths are levels, not lengths: from 8 bits to float is one step like the others.
double level_height(int bits) {
  const auto found = std::find(kLevels.begin(), kLevels.end(), bits);
  const auto level = static_cast<double>(found - kLevels.begin()) + 1;
  return (kBottom - kTop) * std::min(level, 9.0) / 9;
}

std::string level_name(int bits) { return bits == 32 ? "float" : bits == 16 ? "half" : std::to_string(bits); }

std::string grid() {
  std::string text;
  for (const int bits : kLevels) {
    const double y = kBottom - level_height(bits);
    text += fmt::format(
        "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"{0}\" y2=\"{0}\"/><text class=\"tick\" "
        "x=\"2\" y=\"{1}\">{2}</text>\n",
        coordinate(y), coordinate(y + 12), level_name(bits));
  }
  return text;
}

std::string column(const LayerRow& row, std::size_t index, std::size_t count) {
  constexpr double kFirst = 6;  // per cent, right of the labels
  const double step = (100 - kFirst) / static_cast<double>(count);
  const double gap = count > 120 ? 0 : step * 0.12;
  const double height = level_height(row.entry->candidate.bits);
  return fmt::format(
      "<rect class=\"depth {}\" data-i=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}. {}\n{}, {} "
      "bytes</title></rect>\n",
      bits_class(row.entry->candidate.bits), index, percent_of(kFirst + step * static_cast<double>(index)),
      coordinate(kBottom - height), percent_of(std::max(step - gap, 0.05)), coordinate(height), index + 1,
      markup_text(row.name), to_string(row.entry->candidate), format_count(row.entry->stored_bytes));
}

std::string legend(const View& view) {
  std::set<int> widths;
  for (const LayerRow& row : view.deep) {
    if (row.entry != nullptr) widths.insert(row.entry->candidate.bits);
  }
  for (const Plan& plan : view.frontier) {
    for (const PlanEntry& entry : plan.entries) widths.insert(entry.candidate.bits);
  }
  std::string text = "<p class=\"legend\">";
  for (const int bits : widths)
    text += fmt::format("<span class=\"key {}\"></span>{} ", bits_class(bits), level_name(bits));
  return text + "</p>\n";
}

}  // namespace

std::string depth_card(const View& view) {
  if (view.shown == nullptr) return "";
  std::string svg = fmt::format(
                        "<svg class=\"chart\" role=\"img\" aria-label=\"Bits along the depth of the network\" "
                        "width=\"100%\" height=\"{}\">\n",
                        coordinate(kHeight)) +
                    grid();
  for (std::size_t i = 0; i < view.deep.size(); ++i) {
    if (view.deep[i].entry != nullptr) svg += column(view.deep[i], i, view.deep.size());
  }
  svg += fmt::format(
      "<text class=\"tick\" x=\"6%\" y=\"{0}\">input</text><text class=\"tick end\" x=\"100%\" "
      "y=\"{0}\">output</text></svg>\n",
      coordinate(kHeight - 6));
  return card("depth", "Bits along the depth", "One column per layer, in the model's order.",
              legend(view) + "<div class=\"still\">\n" + svg + "</div>\n");
}

}  // namespace mpq::report::html
