#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "quantize/second_order.h"
#include "quantize/trellis.h"

namespace mpq::quant {

/// Weights to be rounded along a trellis. Rows share the path, so all groups are rounded together; weight (g, r, k) is
/// number k (groups rows) + g rows + r of the stream.
struct TrellisProblem {
  std::vector<Matrix> weights;  ///< per group: [rows, columns]
  std::vector<Matrix> scales;   ///< as large
  std::span<const std::int8_t> entries;
};

/// Whether the stream of `layer` (trellis.h) runs along the rows of `view`, column after column.
bool runs_along_rows(const Layer& layer, const MatrixView& view);

/// The path of least squared error: the entries taken, group by group, as floats.
std::vector<Matrix> round_trellis(const TrellisProblem& problem);

/// GPTQ with a path in the place of every column's rounding: a column's rows do not know each other but by the path,
/// so Viterbi's algorithm over them finds what is best for the column, and what is left moves to the columns still
/// free, as in SecondOrder::round. `views`: of every group, all in one order.
std::vector<Matrix> round_trellis(const TrellisProblem& problem, const std::vector<SecondOrder>& views);

}  // namespace mpq::quant
