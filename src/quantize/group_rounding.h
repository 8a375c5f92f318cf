#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quantize/rounding_method.h"
#include "quantize/second_order.h"
#include "quantize/weight_matrix.h"

namespace mpq::quant {

using RowNumbers = std::vector<Eigen::Index>;

/// Some rows of a matrix.
Matrix picked(const Matrix& matrix, const RowNumbers& rows);
std::vector<std::uint8_t> picked(const std::vector<std::uint8_t>& widths, const RowNumbers& rows);

/// What to round of one group, and what to round it on.
struct GroupProblem {
  Matrix weights, scales;
  Matrix widest;                         ///< scales that clip nothing; empty where rows cannot choose theirs
  std::span<const std::uint8_t> widths;  ///< of the rows
};

/// Rows of one group rounded as the method says, those of every width by themselves. `view`: null for to nearest.
RoundedGroup rounded(const RoundingMethod& method, GroupProblem problem, const SecondOrder* view);

/// All groups of a layer rounded along a trellis with these entries. `views`: of every group, in one order; empty for
/// to nearest.
std::vector<RoundedGroup> rounded_along_trellis(const RoundingMethod& method, std::vector<GroupProblem> problems,
                                                std::span<const std::int8_t> entries,
                                                const std::vector<SecondOrder>& views);

/// The views of all groups under these Grams, each in its own order.
std::vector<SecondOrder> views_of(const std::vector<DoubleMatrix>& grams, double damping);

/// The same in one order, for columns of `height` weights (the rows of all groups) along a trellis.
std::vector<SecondOrder> views_in_one_order(const std::vector<DoubleMatrix>& grams, double damping, std::size_t height);

}  // namespace mpq::quant
