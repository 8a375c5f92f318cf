#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quantize/entry_table.h"
#include "quantize/rows.h"

namespace mpq::quant {

/// Sums over a row that tell its error under a scale and the scale that suits its entries best.
struct RowSums {
  double ww = 0, wq = 0, qq = 0;
  double best_scale() const { return qq > 0 ? wq / qq : 0; }
  double best_error() const { return qq > 0 ? ww - wq * wq / qq : ww; }
};

/// The best scalar codebook of a layer: every row has a scale, and the whole layer shares integers of 8 bits, free to
/// lie where the weights are. Entries and scales minimise the sum of (w - entry x scale)^2 by turns: the entries
/// exactly for given scales (best_entries), the scales by least squares for given entries.
class EntryFit {
 public:
  EntryFit(std::span<const float> weight, const Rows& rows);

  void run(int entries);
  const std::vector<std::int8_t>& entries() const { return entries_; }
  /// Scales as real numbers; rows of zeros have none (0).
  std::vector<float> scales() const { return {scales_.begin(), scales_.end()}; }

 private:
  std::size_t rows() const { return scales_.size(); }

  void normalise();
  void choose_unit(int count);
  void choose_entries(int count);
  void fit_scales();
  void fit_scale(std::size_t r, const EntryTable& table);
  RowSums sums(std::size_t r, double scale, const EntryTable& table) const;
  template <typename Visit>
  void for_each_number(const Visit& visit) const;

  std::size_t length_;
  std::vector<float> weights_;
  std::vector<double> scales_;
  double unit_ = 1;  ///< power of two that brings the scales near 1, so that no square overflows
  std::vector<std::int8_t> entries_;
};

/// A row of zeros takes the entry nearest to zero, which may not be zero: its scale is next to nothing then.
void give_idle_rows_a_scale(std::vector<float>& scales);

}  // namespace mpq::quant
