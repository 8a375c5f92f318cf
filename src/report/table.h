#pragma once

#include <string>
#include <vector>

#include "report/style.h"

namespace mpq::report {

struct Column {
  enum class Align { kLeft, kRight };
  std::string title;  ///< of several lines perhaps
  Align align = Align::kRight;
  std::size_t least = 0;  ///< cells the column may be cut down to, its texts as names; 0 = never cut
  enum class Need { kAlways, kRoomy, kUnlessTiny };
  Need need = Need::kAlways;  ///< whether it is left out where the table is too wide
};

struct Cell {
  std::string text;
  Tone tone = Tone::kPlain;
};

/// A plain-text table: every column as wide as its widest cell. Where that is too wide for the terminal, the first
/// column that may be cut gives way down to a readable width, then the gaps, then the other columns that may be cut.
/// Then columns that need room are left out, the last one first, then the first column gives way to its least, and on
/// tiny terminals the columns of Need::kUnlessTiny go.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// As many cells as columns.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  /// Whether no column is left out.
  bool fits_whole(const Style& style) const { return layout(style.width()).shown.size() == columns_.size(); }
  /// Title line and rows, each ending in a line feed, without trailing spaces.
  std::string render(const Style& style, std::size_t indent = 0) const;

 private:
  struct Layout {
    std::vector<std::size_t> widths;  ///< of every column
    std::vector<std::size_t> shown;   ///< numbers of the columns that are not left out
    std::size_t gap = 2;
  };
  Layout layout(std::size_t available) const;
  /// The rows, texts of columns that may be cut fitting their widths.
  std::vector<std::vector<Cell>> cut_to(const Layout& layout, const Style& style) const;
  /// Titles as rows: those of fewer lines begin further down.
  std::vector<std::vector<Cell>> heading() const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace mpq::report
