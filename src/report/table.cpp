#include "report/table.h"

#include <algorithm>
#include <numeric>

namespace mpq::report {
namespace {

/// A layer's name is still told from its siblings at this width.
constexpr std::size_t kReadable = 24;

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

Table::Layout Table::layout(std::size_t available) const {
  Layout result;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = display_width(columns_[c].title);
    for (const auto& row : rows_) width = std::max(width, display_width(row[c].text));
    result.widths.push_back(width);
  }
  const auto excess = [&] {
    const std::size_t total =
        std::accumulate(result.widths.begin(), result.widths.end(), result.gap * (result.widths.size() - 1));
    return total - std::min(total, available);
  };
  const auto cut = [&](std::size_t c, std::size_t least) {
    if (result.widths[c] > least)
      result.widths[c] = std::max(least, result.widths[c] - std::min(excess(), result.widths[c]));
  };
  const auto first =
      std::find_if(columns_.begin(), columns_.end(), [](const Column& column) { return column.least > 0; });
  if (first == columns_.end()) return result;
  const auto main = static_cast<std::size_t>(first - columns_.begin());
  cut(main, kReadable);
  if (excess() > 0) result.gap = 1;
  for (std::size_t c = main + 1; c < columns_.size(); ++c) {
    if (columns_[c].least > 0) cut(c, columns_[c].least);
  }
  while (excess() > 0 && result.widths.size() > 1 && columns_[result.widths.size() - 1].optional)
    result.widths.pop_back();
  cut(main, columns_[main].least);
  return result;
}

std::vector<std::vector<Cell>> Table::cut_to(const std::vector<std::size_t>& widths, const Style& style) const {
  std::vector<std::vector<Cell>> rows = rows_;
  for (std::size_t c = 0; c < widths.size(); ++c) {
    if (columns_[c].least == 0) continue;
    std::vector<std::string> texts;
    for (const auto& row : rows_) texts.push_back(row[c].text);
    texts = shorten_names(texts, widths[c], style.ellipsis());
    for (std::size_t r = 0; r < rows.size(); ++r) rows[r][c].text = texts[r];
  }
  return rows;
}

std::string Table::render(const Style& style, std::size_t indent) const {
  const Layout where = layout(style.width() - std::min(style.width(), indent));
  const auto line = [&](const auto& cell_at) {
    std::string text = padding(indent);
    for (std::size_t c = 0; c < where.widths.size(); ++c) {
      const Cell cell = cell_at(c);
      text += (c == 0 ? "" : padding(where.gap)) +
              aligned(columns_[c], cell.text, cell.tone, where.widths[c], c + 1 == where.widths.size(), style);
    }
    return without_trailing_spaces(text) + '\n';
  };
  std::string result = line([&](std::size_t c) { return Cell{columns_[c].title, Tone::kHeading}; });
  for (const auto& row : cut_to(where.widths, style)) result += line([&](std::size_t c) { return row[c]; });
  return result;
}

}  // namespace mpq::report
