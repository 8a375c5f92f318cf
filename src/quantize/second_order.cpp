#include "quantize/second_order.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <Eigen/Cholesky>

namespace mpq::quant {

namespace {

using Eigen::Index;

float to_grid(float value, float scale, IntegerRange range) {
  return std::clamp(std::nearbyint(value / scale), static_cast<float>(range.low), static_cast<float>(range.high));
}

/// Columns by rising diagonal; equal ones in their own order, so that nothing depends on the sort.
std::vector<Index> by_energy(const DoubleMatrix& gram) {
  std::vector<Index> order(static_cast<std::size_t>(gram.rows()));
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return gram(a, a) < gram(b, b); });
  return order;
}

}  // namespace

SecondOrderFactor::SecondOrderFactor(const DoubleMatrix& gram, double damping) : order_(by_energy(gram)) {
  const double mean = gram.diagonal().mean();
  if (!(mean > 0) || !std::isfinite(mean)) return;
  const Index n = gram.rows();
  // Rounding leaves Grams of few samples slightly indefinite: more damping is the cure.
  constexpr int kTries = 4;
  constexpr double kMore = 10;
  for (int attempt = 0; attempt < kTries && !valid_; ++attempt, damping *= kMore) {
    lower_.setZero(n, n);
    for (Index j = 0; j < n; ++j) {
      for (Index i = j; i < n; ++i) {
        const double value = gram(order_[static_cast<std::size_t>(i)], order_[static_cast<std::size_t>(j)]) / mean;
        lower_(i, j) = static_cast<float>(i == j ? value + damping : value);
      }
    }
    valid_ = Eigen::LLT<Eigen::Ref<Eigen::MatrixXf>>(lower_).info() == Eigen::Success && lower_.allFinite();
  }
}

Matrix SecondOrderFactor::round(const GridProblem& problem) const {
  constexpr Index kBlock = 128;
  const Index rows = problem.weights.rows(), n = problem.weights.cols();
  Matrix integers(rows, n);
  Matrix errors = Matrix::Zero(rows, n);  // w - q, in this factor's order
  for (Index end = n; end > 0; end -= std::min(end, kBlock)) {
    const Index begin = std::max<Index>(end - kBlock, 0), width = end - begin;
    // What the columns rounded in earlier blocks leave behind, in one product.
    Matrix carried = Matrix::Zero(rows, width);
    if (end < n) carried.noalias() = errors.rightCols(n - end) * lower_.block(end, begin, n - end, width);
    for (Index place = end - 1; place >= begin; --place) {
      const Index column = order_[static_cast<std::size_t>(place)];
      const float pivot = lower_(place, place);
      for (Index r = 0; r < rows; ++r) {
        const Index after = end - place - 1;
        const float moved = carried(r, place - begin) +
                            errors.row(r).segment(place + 1, after).dot(lower_.col(place).segment(place + 1, after));
        const float w = problem.weights(r, column), scale = problem.scales(r, column);
        integers(r, column) = to_grid(w + moved / pivot, scale, problem.range);
        errors(r, place) = w - integers(r, column) * scale;
      }
    }
  }
  return integers;
}

Matrix round_to_nearest(const GridProblem& problem) {
  Matrix integers(problem.weights.rows(), problem.weights.cols());
  for (Index r = 0; r < integers.rows(); ++r) {
    for (Index k = 0; k < integers.cols(); ++k) {
      integers(r, k) = to_grid(problem.weights(r, k), problem.scales(r, k), problem.range);
    }
  }
  return integers;
}

Matrix rounding_error(const GridProblem& problem, const Matrix& integers) {
  return integers.cwiseProduct(problem.scales) - problem.weights;
}

std::size_t descend(const GridProblem& problem, const DoubleMatrix& gram, int sweeps, Matrix& integers) {
  const double mean = gram.diagonal().mean();
  if (!(mean > 0) || !std::isfinite(mean)) return 0;
  const Matrix unit = (gram / mean).cast<float>();
  Matrix error = rounding_error(problem, integers);
  Matrix slope = error * unit;  // half the gradient, kept up to date
  std::size_t moved = 0;
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    std::size_t now = 0;
    for (Index r = 0; r < error.rows(); ++r) {
      for (Index k = 0; k < unit.rows(); ++k) {
        const float curvature = unit(k, k), scale = problem.scales(r, k);
        if (!(curvature > 0)) continue;
        const float best = problem.weights(r, k) + error(r, k) - slope(r, k) / curvature;
        const float step = to_grid(best, scale, problem.range) - integers(r, k);
        const float change = step * scale;
        // Only what truly lowers the objective: ties and rounding noise would never settle.
        constexpr float kLeastGain = 1e-4F;
        const float gain = -change * (2 * slope(r, k) + change * curvature);
        if (step == 0 || !(gain > kLeastGain * curvature * scale * scale)) continue;
        integers(r, k) += step;
        error(r, k) += change;
        slope.row(r) += change * unit.row(k);
        ++now;
      }
    }
    moved += now;
    if (now == 0) break;
  }
  return moved;
}

}  // namespace mpq::quant
