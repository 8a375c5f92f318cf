#include "quantize/rounding_target.h"

#include <limits>

#include "quantize/matrix_product.h"
#include "quantize/quantize_weight.h"
#include "quantize/rounding.h"
#include "quantize/trellis_fit.h"

namespace mpq::quant {

namespace {

using Eigen::Index;

/// Calls visit(offset in the tensor, group, row, column) for every weight.
template <typename Visit>
void for_each_weight(const MatrixView& view, const Visit& visit) {
  for (std::size_t g = 0; g < view.groups; ++g) {
    for (std::size_t r = 0; r < view.rows; ++r) {
      for (std::size_t k = 0; k < view.columns; ++k) {
        visit(view.at(g, r, k), g, static_cast<Index>(r), static_cast<Index>(k));
      }
    }
  }
}

/// True where no scale serves weights of different rows.
bool rows_have_own_scales(const ScaleLayout& layout, const MatrixView& view) {
  const std::vector<std::uint32_t> numbers = scale_number_of_each_weight(layout);
  constexpr std::size_t kNobody = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> owners(static_cast<std::size_t>(layout.scale_count()), kNobody);
  bool own = true;
  for_each_weight(view, [&](std::size_t offset, std::size_t group, Index row, Index) {
    std::size_t& owner = owners[numbers[offset]];
    const std::size_t here = group * view.rows + static_cast<std::size_t>(row);
    if (owner == kNobody) owner = here;
    own = own && owner == here;
  });
  return own;
}

/// Where rows have widths of their own, all weights of one share a scale, by which it is known.
std::vector<std::vector<std::uint8_t>> widths_of_groups(const RoundingTask& task, const ScaleLayout& layout) {
  std::vector<std::vector<std::uint8_t>> widths(
      task.view.groups, std::vector<std::uint8_t>(task.view.rows, static_cast<std::uint8_t>(task.candidate.bits)));
  if (!task.candidate.has_row_widths()) return widths;
  const std::vector<std::uint32_t> numbers = scale_number_of_each_weight(layout);
  for (std::size_t g = 0; g < widths.size(); ++g) {
    for (std::size_t r = 0; r < task.view.rows; ++r) {
      widths[g][r] = task.candidate.row_bits[numbers[task.view.at(g, r, 0)]];
    }
  }
  return widths;
}

Matrix corrected(const Matrix& weights, const Moments2& inputs, double lambda, bool centred) {
  const DoubleMatrix gram = centred ? inputs.centred() : inputs.gram;
  const DoubleMatrix cross = centred ? inputs.centred_cross() : inputs.cross;
  const double mean = gram.diagonal().mean();
  if (!(mean > 0)) return weights;
  Matrix factor = (gram / mean).cast<float>();
  factor.diagonal().array() += static_cast<float>(lambda);
  if (!factorize(factor)) return weights;
  Matrix change = times((cross / mean).cast<float>(), weights.transpose());
  solve(factor, change);
  if (!change.allFinite()) return weights;
  return weights - change.transpose();
}

}  // namespace

std::vector<Matrix> matrices_of(std::span<const float> tensor, const MatrixView& view) {
  std::vector<Matrix> result;
  for (std::size_t g = 0; g < view.groups; ++g) result.push_back(group_matrix<float>(tensor, view, g));
  return result;
}

RoundingTarget rounding_target(const RoundingTask& task, const std::vector<Matrix>& weights,
                               const std::vector<Moments2>& inputs, double correction) {
  RoundingTarget target;
  target.aims = weights;
  std::vector<float> tensor(task.weight.begin(), task.weight.end());
  if (correction > 0) {
    for (std::size_t g = 0; g < weights.size(); ++g) {
      target.aims[g] = corrected(weights[g], inputs[g], correction, task.has_bias);
    }
    for_each_weight(
        task.view, [&](std::size_t offset, std::size_t g, Index r, Index k) { tensor[offset] = target.aims[g](r, k); });
  }
  target.grid = quantize_weight(tensor, task.layer, task.candidate, task.fit);
  target.scales = matrices_of(scale_of_each_weight(target.grid), task.view);
  target.widths = widths_of_groups(task, target.grid.layout);
  if (!task.candidate.is_trellis() && rows_have_own_scales(target.grid.layout, task.view)) {
    const QuantizedTensor widest = quantize_grid(tensor, task.layer, task.candidate, ScaleFit::kMinMax);
    target.widest = matrices_of(scale_of_each_weight(widest), task.view);
  }
  return target;
}

void store(const RoundingTask& task, const std::vector<RoundedGroup>& groups, QuantizedTensor& grid) {
  const std::vector<std::uint32_t> numbers = scale_number_of_each_weight(grid.layout);
  std::vector<float> stored = scales_of(grid);
  for_each_weight(task.view, [&](std::size_t offset, std::size_t g, Index r, Index k) {
    stored[numbers[offset]] = groups[g].scales(r, k);
  });
  if (grid.candidate.is_trellis()) keep_finite(task.layer, grid.entries, stored);
  set_scales(stored, grid);
  stored = scales_of(grid);
  const float limit = largest_product(task.layer.dtype);
  const bool trellis = grid.candidate.is_trellis();
  for_each_weight(task.view, [&](std::size_t offset, std::size_t g, Index r, Index k) {
    const auto value = static_cast<std::int8_t>(groups[g].integers(r, k));
    // On a trellis no weight can step aside by itself; its scales keep it finite.
    grid.values[offset] = trellis ? value : finite_value(value, stored[numbers[offset]], limit);
  });
}

}  // namespace mpq::quant
