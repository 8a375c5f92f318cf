#pragma once

#include <string>
#include <vector>

#include "mpq/run_record.h"

#include "report/style.h"
#include "report/table.h"

namespace mpq::report {

/// One quantizable layer as the reports show it: its scores, its place in the plan, or both.
struct LayerRow {
  std::string name;
  const LayerSensitivity* scores = nullptr;
  const PlanEntry* entry = nullptr;

  /// What the rows are sorted by: the sensitivity, or the predicted damage where there are no scores.
  double weight() const;
  double standard_error() const;
};

/// The layers of `scores` (may be null) and `plan` (may be null), most sensitive first, ties in the model's order.
std::vector<LayerRow> layer_rows(const Sensitivity* scores, const Plan* plan);

/// Maps damages to bar lengths on a logarithmic scale: the smallest positive value (at most six decades below the
/// largest) gets the shortest visible bar, the largest the full one, zero none.
class LogScale {
 public:
  explicit LogScale(const std::vector<LayerRow>& rows);
  double fraction(double value) const;

 private:
  double low_ = 0, high_ = 0;
};

inline constexpr int kBarCells = 8;

/// The columns every table of layers begins with, and the cells of one row: rank, name, operator, shape, parameters,
/// sensitivity (titled `what`) with its standard error, bar.
std::vector<Column> layer_columns(const std::string& what, const Style& style);
std::vector<Cell> layer_cells(std::size_t rank, const LayerRow& row, const LogScale& scale, const Style& style);

/// The bar of `value`, in the colour of its length.
Cell bar_cell(const LogScale& scale, double value, const Style& style);

/// Rows to show of `count` when `top` are asked for (0 = all), and the line that stands for the others ("" for none).
std::size_t shown_rows(std::size_t count, int top);
std::string hidden_rows_line(const std::vector<LayerRow>& rows, std::size_t shown, const Plan* plan,
                             const Style& style);

}  // namespace mpq::report
