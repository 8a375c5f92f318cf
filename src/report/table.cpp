#include "report/table.h"

#include <algorithm>

namespace mpq::report {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastFlexible = 14;

std::string padding(std::size_t cells) { return std::string(cells, ' '); }

/// One cell, padded to `width`; a left-aligned last column is not padded.
std::string aligned(const Column& column, const std::string& text, Tone tone, std::size_t width, bool last,
                    const Style& style) {
  const std::size_t fill = width - std::min(width, display_width(text));
  if (column.align == Column::Align::kRight) return padding(fill) + style.paint(tone, text);
  return style.paint(tone, text) + (last ? "" : padding(fill));
}

std::string without_trailing_spaces(std::string line) {
  const std::size_t end = line.find_last_not_of(' ');
  line.erase(end == std::string::npos ? 0 : end + 1);
  return line;
}

}  // namespace

std::vector<std::size_t> Table::widths(const Style& style, std::size_t indent) const {
  std::vector<std::size_t> result;
  std::size_t total = indent;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = display_width(columns_[c].title);
    for (const auto& row : rows_) width = std::max(width, display_width(row[c].text));
    result.push_back(width);
    total += width + (c == 0 ? 0 : kGap);
  }
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (!columns_[c].flexible || total <= style.width()) continue;
    const std::size_t others = total - result[c];
    const std::size_t left = style.width() > others ? style.width() - others : 0;
    result[c] = std::min(result[c], std::max(left, kLeastFlexible));
  }
  return result;
}

std::string Table::render(const Style& style, std::size_t indent) const {
  const auto width = widths(style, indent);
  const auto line = [&](const auto& cell_at) {
    std::string text = padding(indent);
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const Cell cell = cell_at(c);
      const std::string shown = columns_[c].flexible ? style.shorten(cell.text, width[c]) : cell.text;
      text += (c == 0 ? "" : padding(kGap)) +
              aligned(columns_[c], shown, cell.tone, width[c], c + 1 == columns_.size(), style);
    }
    return without_trailing_spaces(text) + '\n';
  };
  std::string result = line([&](std::size_t c) { return Cell{columns_[c].title, Tone::kHeading}; });
  for (const auto& row : rows_) result += line([&](std::size_t c) { return row[c]; });
  return result;
}

}  // namespace mpq::report
