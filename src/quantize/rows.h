#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quantize/grid.h"

namespace mpq::quant {

/// Where the weights that share one scale ("a row") lie in a C-order tensor, whatever the channel axes are.
/// Rows are numbered in C order of the scale tensor; the weights of a row in C order of the view.
class Rows {
 public:
  explicit Rows(const ScaleLayout& layout);

  std::size_t count() const { return bases_.size(); }
  std::size_t length() const { return run_offsets_.size() * run_length_; }

  /// Copies rows [first, first + n) into `out`, one after the other. Walks neighbouring rows side by side, because
  /// rows of a [K, N] product are columns: one at a time would use one float of every cache line.
  template <typename T>
  void gather(std::span<const T> tensor, std::size_t first, std::size_t n, T* out) const {
    for_each(first, n, [&](std::size_t offset, std::size_t place) { out[place] = tensor[offset]; });
  }
  /// Inverse of gather.
  template <typename T>
  void scatter(const T* rows, std::size_t first, std::size_t n, std::span<T> tensor) const {
    for_each(first, n, [&](std::size_t offset, std::size_t place) { tensor[offset] = rows[place]; });
  }

 private:
  template <typename Visit>
  void for_each(std::size_t first, std::size_t n, const Visit& visit) const {
    const std::size_t row_length = length();
    if (run_stride_ == 1) {
      for (std::size_t r = 0; r < n; ++r) {
        std::size_t place = r * row_length;
        for (const std::size_t run : run_offsets_) {
          const std::size_t start = bases_[first + r] + run;
          for (std::size_t i = 0; i < run_length_; ++i) visit(start + i, place++);
        }
      }
      return;
    }
    std::size_t column = 0;
    for (const std::size_t run : run_offsets_) {
      for (std::size_t i = 0; i < run_length_; ++i, ++column) {
        const std::size_t inner = run + i * run_stride_;
        for (std::size_t r = 0; r < n; ++r) visit(bases_[first + r] + inner, r * row_length + column);
      }
    }
  }

  std::vector<std::size_t> bases_;        ///< first weight of every row
  std::vector<std::size_t> run_offsets_;  ///< of every run within a row, relative to the base
  std::size_t run_length_ = 1;
  std::size_t run_stride_ = 1;
};

/// Adds the sum of the squares of every row of a tensor to `sums`, which grow from nothing to one per row.
void add_squares(const Rows& rows, std::span<const float> tensor, std::vector<double>& sums);

}  // namespace mpq::quant
