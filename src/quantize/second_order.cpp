#include "quantize/second_order.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "quantize/kernels/kernels.h"
#include "quantize/matrix_product.h"

namespace mpq::quant {

namespace {

using Eigen::Index;

kernels::Levels levels_of(const GridProblem& problem) {
  return {static_cast<float>(problem.range.low), static_cast<float>(problem.range.high)};
}

float to_level(float ratio, const GridProblem& problem) {
  return std::clamp(std::nearbyint(ratio), static_cast<float>(problem.range.low),
                    static_cast<float>(problem.range.high));
}

}  // namespace

std::vector<Index> by_energy(const DoubleMatrix& gram) {
  std::vector<Index> order(static_cast<std::size_t>(gram.rows()));
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return gram(a, a) < gram(b, b); });
  return order;
}

SecondOrder::SecondOrder(const DoubleMatrix& gram, double damping, std::vector<Index> order)
    : order_(std::move(order)) {
  const double mean = gram.diagonal().mean();
  if (!(mean > 0) || !std::isfinite(mean)) return;
  const Index n = gram.rows();
  const Matrix unit = (gram / mean).cast<float>();
  // Rounding leaves Grams of few samples slightly indefinite: more damping is the cure.
  constexpr int kTries = 4;
  constexpr double kMore = 10;
  for (int attempt = 0; attempt < kTries && !valid_; ++attempt, damping *= kMore) {
    gram_ = unit;
    gram_.diagonal().array() += static_cast<float>(damping);
    upper_.resize(n, n);
    for (Index i = 0; i < n; ++i) {
      const float* row = gram_.data() + order_[static_cast<std::size_t>(i)] * n;
      for (Index j = i; j < n; ++j) upper_(i, j) = row[order_[static_cast<std::size_t>(j)]];
    }
    valid_ = factorize(upper_);
  }
}

RoundedRows SecondOrder::round(const GridProblem& problem) const {
  constexpr Index kBlock = 128;
  const kernels::Kernels& kernel = kernels::best();
  const Index rows = problem.weights.rows(), n = problem.weights.cols();
  const auto count = static_cast<std::size_t>(rows);
  // One line per column of the problem, in this factor's order: loops run over the rows, which do not know each other.
  Matrix weights(n, rows), scales(n, rows), integers(n, rows), errors(n, rows);
  for (Index place = 0; place < n; ++place) {
    weights.row(place) = problem.weights.col(order_[static_cast<std::size_t>(place)]).transpose();
    scales.row(place) = problem.scales.col(order_[static_cast<std::size_t>(place)]).transpose();
  }
  Matrix moved = Matrix::Zero(n, rows);
  RoundedRows result{Matrix(rows, n), Eigen::VectorXf::Zero(rows)};
  const kernels::Levels levels = levels_of(problem);
  for (Index end = n; end > 0; end -= std::min(end, kBlock)) {
    const Index begin = std::max<Index>(end - kBlock, 0);
    for (Index place = end - 1; place >= begin; --place) {
      const auto line = [&](Matrix& matrix) { return matrix.data() + place * rows; };
      kernel.round_column({line(weights), line(scales), line(moved), upper_(place, place), levels},
                          {line(integers), line(errors), result.objective.data()}, count);
      for (Index before = begin; before < place; ++before) {
        kernel.add(moved.data() + before * rows, line(errors), upper_(before, place), count);
      }
    }
    // What this block leaves to the columns still to come, in one product.
    kernel.product({{upper_.data() + begin, static_cast<std::size_t>(n), 1},
                    errors.data() + begin * rows,
                    count,
                    moved.data(),
                    count,
                    static_cast<std::size_t>(begin),
                    count,
                    static_cast<std::size_t>(end - begin)});
  }
  for (Index place = 0; place < n; ++place) {
    result.integers.col(order_[static_cast<std::size_t>(place)]) = integers.row(place).transpose();
  }
  return result;
}

Matrix round_to_nearest(const GridProblem& problem) {
  Matrix integers(problem.weights.rows(), problem.weights.cols());
  for (Index r = 0; r < integers.rows(); ++r) {
    for (Index k = 0; k < integers.cols(); ++k) {
      integers(r, k) = to_level(problem.weights(r, k) / problem.scales(r, k), problem);
    }
  }
  return integers;
}

Matrix rounding_error(const GridProblem& problem, const Matrix& integers) {
  return integers.cwiseProduct(problem.scales) - problem.weights;
}

std::size_t SecondOrder::descend(const GridProblem& problem, int sweeps, Matrix& integers) const {
  if (!valid_) return 0;
  const kernels::Levels levels = levels_of(problem);
  const kernels::Kernels& kernel = kernels::best();
  const Eigen::VectorXf curvatures = gram_.diagonal();
  Matrix errors = rounding_error(problem, integers);
  Matrix slopes = times(errors, gram_);  // half the gradient, kept up to date
  const Index n = gram_.rows();
  const auto columns = static_cast<std::size_t>(n);
  std::size_t moved = 0;
  for (Index r = 0; r < errors.rows(); ++r) {
    const Index first = r * n;
    const kernels::Descent row{problem.weights.data() + first,
                               problem.scales.data() + first,
                               errors.data() + first,
                               slopes.data() + first,
                               curvatures.data(),
                               integers.data() + first,
                               levels};
    for (int sweep = 0; sweep < sweeps; ++sweep) {
      std::size_t now = 0;
      for (std::size_t k = kernel.next_change(row, 0, columns); k < columns;
           k = kernel.next_change(row, k + 1, columns)) {
        const auto column = static_cast<Index>(k);
        const float step = kernels::best_step(row, k), change = step * problem.scales(r, column);
        integers(r, column) += step;
        errors(r, column) += change;
        kernel.add(slopes.data() + first, gram_.data() + column * n, change, columns);
        ++now;
      }
      moved += now;
      if (now == 0) break;
    }
  }
  return moved;
}

}  // namespace mpq::quant
