#include "quantize/group_rounding.h"

#include <array>
#include <map>
#include <numeric>
#include <utility>

#include "quantize/matrix_product.h"
#include "quantize/scale_fit.h"
#include "quantize/trellis_rounding.h"

namespace mpq::quant {

using Eigen::Index;

Matrix picked(const Matrix& matrix, const RowNumbers& rows) {
  Matrix result(static_cast<Index>(rows.size()), matrix.cols());
  for (std::size_t i = 0; i < rows.size(); ++i) result.row(static_cast<Index>(i)) = matrix.row(rows[i]);
  return result;
}

std::vector<std::uint8_t> picked(const std::vector<std::uint8_t>& widths, const RowNumbers& rows) {
  std::vector<std::uint8_t> result;
  for (const Index row : rows) result.push_back(widths[static_cast<std::size_t>(row)]);
  return result;
}

namespace {

constexpr int kSweeps = 4;

/// What rounding leaves of every row, as the damped Gram sees it.
RoundedRows nearest_rows(const GridProblem& problem, const SecondOrder& view) {
  RoundedRows result{round_to_nearest(problem), {}};
  const Matrix error = rounding_error(problem, result.integers);
  result.objective = times(error, view.gram()).cwiseProduct(error).rowwise().sum();
  return result;
}

/// Coarser and finer scales to try beside the target's own.
constexpr std::array<float, 4> kRatios = {.8F, .9F, 1.1F, 1.2F};

Matrix scaled(const Matrix& scales, float ratio) {
  return (ratio * scales).unaryExpr([](float scale) { return round_to_half_precision(scale); });
}

/// Grids to try: the target's own, coarser and finer ones, and the one that clips nothing.
std::vector<Matrix> grids_of(const Matrix& scales, const Matrix& widest) {
  std::vector<Matrix> grids{scales};
  for (const float ratio : kRatios) grids.push_back(scaled(scales, ratio));
  grids.push_back(widest);
  return grids;
}

/// Rows of one width rounded as the method says.
RoundedGroup rounded_alike(const RoundingMethod& method, GridProblem problem, const Matrix& widest,
                           const SecondOrder* view) {
  if (view == nullptr || !view->valid()) {
    Matrix integers = round_to_nearest(problem);
    return {std::move(integers), std::move(problem.scales)};
  }
  const auto round = [&] { return method.second_order ? view->round(problem) : nearest_rows(problem, *view); };
  RoundedRows best = round();
  if (method.fits_scales && widest.size() > 0) {
    Matrix scales = problem.scales;
    const std::vector<Matrix> grids = grids_of(problem.scales, widest);
    for (std::size_t i = 1; i < grids.size(); ++i) {
      problem.scales = grids[i];
      const RoundedRows other = round();
      for (Index r = 0; r < scales.rows(); ++r) {
        if (!(other.objective[r] < best.objective[r])) continue;
        best.objective[r] = other.objective[r];
        best.integers.row(r) = other.integers.row(r);
        scales.row(r) = grids[i].row(r);
      }
    }
    problem.scales = std::move(scales);
  }
  if (method.second_order) view->descend(problem, kSweeps, best.integers);
  return {std::move(best.integers), std::move(problem.scales)};
}

void put_rows(const Matrix& from, const RowNumbers& rows, Matrix& to) {
  for (std::size_t i = 0; i < rows.size(); ++i) to.row(rows[i]) = from.row(static_cast<Index>(i));
}

Eigen::VectorXf left_of_rows(const Matrix& error, const SecondOrder& view) {
  return times(error, view.gram()).cwiseProduct(error).rowwise().sum();
}

/// Every row takes the scale under which it errs least when all rows are rounded at the same ratio.
template <typename Round>
void choose_scales(const std::vector<SecondOrder>& views, const Round& round, TrellisProblem& trellis) {
  const std::vector<Matrix> own = trellis.scales;
  std::vector<Matrix> chosen = own;
  std::vector<Eigen::VectorXf> least;
  const auto errors = [&](std::size_t g, const std::vector<Matrix>& taken) {
    return left_of_rows(taken[g].cwiseProduct(trellis.scales[g]) - trellis.weights[g], views[g]);
  };
  std::vector<Matrix> taken = round();
  for (std::size_t g = 0; g < own.size(); ++g) least.push_back(errors(g, taken));
  for (const float ratio : kRatios) {
    for (std::size_t g = 0; g < own.size(); ++g) trellis.scales[g] = scaled(own[g], ratio);
    taken = round();
    for (std::size_t g = 0; g < own.size(); ++g) {
      const Eigen::VectorXf left = errors(g, taken);
      for (Index r = 0; r < left.size(); ++r) {
        if (!(left[r] < least[g][r])) continue;
        least[g][r] = left[r];
        chosen[g].row(r) = trellis.scales[g].row(r);
      }
    }
  }
  trellis.scales = std::move(chosen);
}

/// The scale of every row that suits the entries taken best, as the Gram sees it: <w, q> / <q, q>.
void refit_scales(const std::vector<SecondOrder>& views, const std::vector<Matrix>& taken, TrellisProblem& trellis) {
  for (std::size_t g = 0; g < taken.size(); ++g) {
    const Matrix seen = times(taken[g], views[g].gram());
    const Eigen::VectorXf wq = trellis.weights[g].cwiseProduct(seen).rowwise().sum();
    const Eigen::VectorXf qq = taken[g].cwiseProduct(seen).rowwise().sum();
    for (Index r = 0; r < wq.size(); ++r) {
      if (qq[r] > 0 && wq[r] != 0) trellis.scales[g].row(r).setConstant(round_to_half_precision(wq[r] / qq[r]));
    }
  }
}

std::vector<RoundedGroup> paired(std::vector<Matrix> integers, TrellisProblem& trellis) {
  std::vector<RoundedGroup> result;
  for (std::size_t g = 0; g < integers.size(); ++g) {
    result.push_back({std::move(integers[g]), std::move(trellis.scales[g])});
  }
  return result;
}

}  // namespace

RoundedGroup rounded(const RoundingMethod& method, GroupProblem problem, const SecondOrder* view) {
  std::map<int, RowNumbers> by_width;
  for (std::size_t r = 0; r < problem.widths.size(); ++r) {
    by_width[problem.widths[r]].push_back(static_cast<Index>(r));
  }
  if (by_width.size() == 1) {
    return rounded_alike(method,
                         {std::move(problem.weights), std::move(problem.scales), IntegerRange(by_width.begin()->first)},
                         problem.widest, view);
  }
  RoundedGroup result{problem.weights, problem.scales};
  for (const auto& [width, rows] : by_width) {
    const Matrix widest = problem.widest.size() > 0 ? picked(problem.widest, rows) : Matrix();
    const RoundedGroup part = rounded_alike(
        method, {picked(problem.weights, rows), picked(problem.scales, rows), IntegerRange(width)}, widest, view);
    put_rows(part.integers, rows, result.integers);
    put_rows(part.scales, rows, result.scales);
  }
  return result;
}

std::vector<RoundedGroup> rounded_along_trellis(const RoundingMethod& method, std::vector<GroupProblem> problems,
                                                std::span<const std::int8_t> entries,
                                                const std::vector<SecondOrder>& views) {
  TrellisProblem trellis{{}, {}, entries};
  for (GroupProblem& problem : problems) {
    trellis.weights.push_back(std::move(problem.weights));
    trellis.scales.push_back(std::move(problem.scales));
  }
  const auto round = [&] { return method.second_order ? round_trellis(trellis, views) : round_trellis(trellis); };
  if (method.fits_scales) choose_scales(views, round, trellis);
  std::vector<Matrix> integers = round();
  if (method.fits_scales) refit_scales(views, integers, trellis);
  return paired(std::move(integers), trellis);
}

std::vector<SecondOrder> views_of(const std::vector<DoubleMatrix>& grams, double damping) {
  std::vector<SecondOrder> views;
  for (const DoubleMatrix& gram : grams) views.emplace_back(gram, damping);
  return views;
}

std::vector<SecondOrder> views_in_one_order(const std::vector<DoubleMatrix>& grams, double damping,
                                            std::size_t height) {
  DoubleMatrix sum = DoubleMatrix::Zero(grams.front().rows(), grams.front().cols());
  for (const DoubleMatrix& gram : grams) sum += gram;
  std::vector<Index> order = by_energy(sum);
  // A column between two that are rounded already must end where the next begins, which five of its weights pay for.
  constexpr std::size_t kTall = 64;
  if (height < kTall) std::iota(order.rbegin(), order.rend(), Index{0});
  std::vector<SecondOrder> views;
  for (const DoubleMatrix& gram : grams) {
    views.emplace_back(gram, damping, order);
    // Inputs that are always zero say nothing: all errors count alike.
    if (!views.back().valid()) views.back() = SecondOrder(DoubleMatrix::Identity(sum.rows(), sum.cols()), 0, order);
  }
  return views;
}

}  // namespace mpq::quant
