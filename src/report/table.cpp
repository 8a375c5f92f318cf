#include "report/table.h"

#include <algorithm>

namespace mpq::report {
namespace {

/// A layer's name is still told from its siblings at this width.
constexpr std::size_t kReadable = 20;

std::string padding(std::size_t cells) { return std::string(cells, ' '); }

std::vector<std::string> lines_of(const std::string& title) {
  std::vector<std::string> lines(1);
  for (const char c : title) {
    if (c == '\n')
      lines.emplace_back();
    else
      lines.back() += c;
  }
  return lines;
}

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
    std::size_t width = 0;
    for (const std::string& line : lines_of(columns_[c].title)) width = std::max(width, display_width(line));
    for (const auto& row : rows_) width = std::max(width, display_width(row[c].text));
    result.widths.push_back(width);
    result.shown.push_back(c);
  }
  const auto excess = [&] {
    std::size_t total = result.gap * (result.shown.size() - 1);
    for (const std::size_t c : result.shown) total += result.widths[c];
    return total - std::min(total, available);
  };
  const auto cut = [&](std::size_t c, std::size_t least) {
    if (result.widths[c] > least)
      result.widths[c] = std::max(least, result.widths[c] - std::min(excess(), result.widths[c]));
  };
  const auto leave_out = [&](Column::Need need) {
    for (std::size_t k = result.shown.size(); k-- > 0 && excess() > 0;) {
      if (columns_[result.shown[k]].need == need) result.shown.erase(result.shown.begin() + std::ptrdiff_t(k));
    }
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
  leave_out(Column::Need::kRoomy);
  cut(main, columns_[main].least);
  leave_out(Column::Need::kUnlessTiny);
  return result;
}

std::vector<std::vector<Cell>> Table::cut_to(const Layout& layout, const Style& style) const {
  std::vector<std::vector<Cell>> rows = rows_;
  for (const std::size_t c : layout.shown) {
    if (columns_[c].least == 0) continue;
    std::vector<std::string> texts;
    for (const auto& row : rows_) texts.push_back(row[c].text);
    texts = shorten_names(texts, layout.widths[c], style.ellipsis());
    for (std::size_t r = 0; r < rows.size(); ++r) rows[r][c].text = texts[r];
  }
  return rows;
}

std::vector<std::vector<Cell>> Table::heading() const {
  std::size_t height = 1;
  for (const Column& column : columns_) height = std::max(height, lines_of(column.title).size());
  std::vector<std::vector<Cell>> rows(height, std::vector<Cell>(columns_.size()));
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const auto lines = lines_of(columns_[c].title);
    for (std::size_t i = 0; i < lines.size(); ++i) rows[height - lines.size() + i][c] = {lines[i], Tone::kHeading};
  }
  return rows;
}

std::string Table::render(const Style& style, std::size_t indent) const {
  const Layout where = layout(style.width() - std::min(style.width(), indent));
  std::string result;
  const auto add = [&](const std::vector<Cell>& row) {
    std::string text = padding(indent);
    for (const std::size_t c : where.shown) {
      text += (c == where.shown.front() ? "" : padding(where.gap)) +
              aligned(columns_[c], row[c].text, row[c].tone, where.widths[c], c == where.shown.back(), style);
    }
    result += without_trailing_spaces(text) + '\n';
  };
  for (const auto& row : heading()) add(row);
  for (const auto& row : cut_to(where, style)) add(row);
  return result;
}

}  // namespace mpq::report
