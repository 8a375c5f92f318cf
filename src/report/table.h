#pragma once

#include <string>
#include <vector>

#include "report/style.h"

namespace mpq::report {

struct Column {
  enum class Align { kLeft, kRight };
  std::string title;
  Align align = Align::kRight;
  std::size_t least = 0;  ///< cells the column may be cut down to, its texts as names; 0 = never cut
  bool optional = false;  ///< left out when it stands last and nothing else makes the table fit
};

struct Cell {
  std::string text;
  Tone tone = Tone::kPlain;
};

/// A plain-text table: every column as wide as its widest cell. Where that is too wide for the terminal, the first
/// column that may be cut gives way down to a readable width, then the gaps, then the other columns that may be cut;
/// then the last columns that are optional are left out, and the first column gives way to its least.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// As many cells as columns.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  /// Title line and rows, each ending in a line feed, without trailing spaces.
  std::string render(const Style& style, std::size_t indent = 0) const;

 private:
  struct Layout {
    std::vector<std::size_t> widths;  ///< of the columns that are shown
    std::size_t gap = 2;
  };
  Layout layout(std::size_t available) const;
  /// The rows with the texts of columns that may be cut fitting their widths.
  std::vector<std::vector<Cell>> cut_to(const std::vector<std::size_t>& widths, const Style& style) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace mpq::report
