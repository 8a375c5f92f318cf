#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <Eigen/Core>

#include "quantize/grid.h"

namespace mpq::quant {

/// One row per output, one column per input it sums over. Sums over many rows are held in double precision, what is
/// computed with weights in single.
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using DoubleMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A stored weight seen as the matrices its operator multiplies with: output = row . input for every group of channels.
/// Element (g, r, k) stands at g * group_stride + r * row_stride + k * column_stride of the C-order tensor.
struct MatrixView {
  std::size_t groups = 1, rows = 0, columns = 0;
  std::size_t group_stride = 0, row_stride = 0, column_stride = 1;

  std::size_t size() const { return groups * rows * columns; }
  std::size_t at(std::size_t group, std::size_t row, std::size_t column) const {
    return group * group_stride + row * row_stride + column * column_stride;
  }
  bool operator==(const MatrixView&) const = default;

  /// [outputs, inputs...]: Conv with groups, Gemm with transB.
  static MatrixView rows_first(std::size_t groups, std::size_t rows, std::size_t columns) {
    return {groups, rows, columns, rows * columns, columns, 1};
  }
  /// [inputs, outputs]: MatMul.
  static MatrixView columns_first(std::size_t columns, std::size_t rows) { return {1, rows, columns, 0, 1, rows}; }
};

/// The scale of every weight, in C order of the tensor: rows, blocks and whatever else share scales, spread out.
std::vector<float> scale_of_each_weight(const QuantizedTensor& tensor);

/// Number of the scale of every weight, in C order of the tensor.
std::vector<std::uint32_t> scale_number_of_each_weight(const ScaleLayout& layout);

/// Group `group` of a tensor as a matrix.
template <typename T>
Matrix group_matrix(std::span<const T> tensor, const MatrixView& view, std::size_t group) {
  Matrix result(static_cast<Eigen::Index>(view.rows), static_cast<Eigen::Index>(view.columns));
  for (std::size_t r = 0; r < view.rows; ++r) {
    for (std::size_t k = 0; k < view.columns; ++k) {
      result(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(k)) =
          static_cast<float>(tensor[view.at(group, r, k)]);
    }
  }
  return result;
}

}  // namespace mpq::quant
