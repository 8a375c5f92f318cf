#pragma once

#include <string>
#include <vector>

#include "report/style.h"

namespace mpq::report {

struct Column {
  enum class Align { kLeft, kRight };
  std::string title;
  Align align = Align::kRight;
  bool flexible = false;  ///< takes the cells the others leave; at most one column
};

struct Cell {
  std::string text;
  Tone tone = Tone::kPlain;
};

/// A plain-text table: every column as wide as its widest cell, one flexible column shortened in the middle to fit.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// As many cells as columns.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  /// Title line and rows, each ending in a line feed, without trailing spaces.
  std::string render(const Style& style, std::size_t indent = 0) const;

 private:
  std::vector<std::size_t> widths(const Style& style, std::size_t indent) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace mpq::report
