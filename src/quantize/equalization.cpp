#include "quantize/equalization.h"

#include <algorithm>
#include <cmath>

namespace mpq::quant {

namespace {

using Eigen::Index;
using Eigen::VectorXd;

constexpr double kInputSteps = 255;
constexpr Index kMostOutputs = 256;  // looked at per product: enough for the sums, and large layers stay quick

/// The squared error expected, as a function of the logarithms of the factors.
class ExpectedError {
 public:
  ExpectedError(const InputExtremes& input, const std::vector<InputReader>& readers)
      : input_(input), energy_(VectorXd::Zero(input.mean_square.size())) {
    for (const InputReader& reader : readers) {
      energy_ += reader.weight.cast<double>().colwise().squaredNorm().transpose();
      const Index step = (reader.weight.rows() + kMostOutputs - 1) / kMostOutputs;
      const Index count = (reader.weight.rows() + step - 1) / step;
      Matrix& part = magnitudes_.emplace_back(count, reader.weight.cols());
      for (Index r = 0; r < count; ++r) part.row(r) = reader.weight.row(r * step).cwiseAbs();
      shares_.push_back(static_cast<double>(reader.weight.rows()) /
                        (static_cast<double>(count) * reader.steps * reader.steps));
    }
  }

  /// Square root of the sum of squares of the weights of every channel.
  VectorXd weight_norms() const { return energy_.cwiseSqrt(); }

  /// What the rounded input makes of it, with factors 1.
  double of_input() const {
    VectorXd slope = VectorXd::Zero(energy_.size());
    return of_input(VectorXd::Ones(energy_.size()), slope);
  }

  /// The error, and its subgradient.
  double at(const VectorXd& logarithms, VectorXd& slope) const {
    const VectorXd factors = logarithms.array().exp();
    slope.setZero(logarithms.size());
    return of_input(factors, slope) + of_weights(factors, slope);
  }

 private:
  double of_input(const VectorXd& factors, VectorXd& slope) const {
    const Eigen::RowVectorXf shrink = factors.cwiseInverse().cast<float>();
    VectorXd range_slope = VectorXd::Zero(factors.size());
    double ranges = 0;  // mean square
    const double per_run = 1 / (static_cast<double>(input_.above.rows()) * kInputSteps * kInputSteps);
    for (Index run = 0; run < input_.above.rows(); ++run) {
      Index highest = 0, lowest = 0;
      const double above = input_.above.row(run).cwiseProduct(shrink).maxCoeff(&highest);
      const double below = input_.below.row(run).cwiseProduct(shrink).maxCoeff(&lowest);
      ranges += per_run * (above + below) * (above + below);
      range_slope[highest] -= per_run * 2 * (above + below) * above;
      range_slope[lowest] -= per_run * 2 * (above + below) * below;
    }
    const VectorXd scaled = energy_.cwiseProduct(factors.cwiseAbs2());
    slope += range_slope * scaled.sum() + 2 * ranges * scaled;
    return ranges * scaled.sum();
  }

  double of_weights(const VectorXd& factors, VectorXd& slope) const {
    const Eigen::RowVectorXf stretch = factors.cast<float>().transpose();
    const VectorXd arriving = input_.mean_square.cwiseQuotient(factors.cwiseAbs2());
    VectorXd scale_slope = VectorXd::Zero(factors.size());
    double scales = 0;  // sum of squares
    for (std::size_t reader = 0; reader < magnitudes_.size(); ++reader) {
      for (Index output = 0; output < magnitudes_[reader].rows(); ++output) {
        Index widest = 0;
        const double most = magnitudes_[reader].row(output).cwiseProduct(stretch).maxCoeff(&widest);
        scales += shares_[reader] * most * most;
        scale_slope[widest] += shares_[reader] * 2 * most * most;
      }
    }
    slope += scale_slope * arriving.sum() - 2 * scales * arriving;
    return scales * arriving.sum();
  }

  const InputExtremes& input_;
  VectorXd energy_;
  std::vector<Matrix> magnitudes_;
  std::vector<double> shares_;  // outputs that a row stands for, over the squared steps
};

/// SmoothQuant's factors.
VectorXd balanced(const VectorXd& reach, const VectorXd& norms, double alpha, double beta) {
  return alpha * reach.array().log() - beta * norms.array().log();
}

}  // namespace

void InputExtremes::add(Index run, const Eigen::Ref<const Matrix>& rows) {
  if (rows.rows() == 0) return;
  above.row(run) = rows.colwise().maxCoeff().cwiseMax(0);
  below.row(run) = (-rows.colwise().minCoeff()).cwiseMax(0);
  mean_square +=
      rows.cast<double>().colwise().squaredNorm().transpose() / static_cast<double>(rows.rows() * above.rows());
}

Equalization equalize(const InputExtremes& input, const std::vector<InputReader>& readers) {
  const ExpectedError error(input, readers);
  const VectorXd reach = input.above.cwiseMax(input.below).colwise().maxCoeff().transpose().cast<double>();
  const VectorXd norms = error.weight_norms();
  // What is always zero, or has no weight, takes the scale of the others: it is lost in neither.
  const double least_reach = 1e-3 * reach.mean(), least_norm = 1e-3 * norms.mean();
  Equalization result{std::vector<float>(static_cast<std::size_t>(reach.size()), 1)};
  if (!(least_reach > 0) || !(least_norm > 0)) return result;
  const VectorXd raised_reach = reach.cwiseMax(least_reach), raised_norms = norms.cwiseMax(least_norm);

  VectorXd slope;
  VectorXd best = VectorXd::Zero(reach.size());
  const double before = error.at(best, slope);
  double least = before;
  const auto consider = [&](const VectorXd& logarithms, double found) {
    if (found >= least) return;
    least = found;
    best = logarithms;
  };
  for (const double alpha : {.25, .5, .65, .8}) {
    for (const double beta : {0.0, .35, .5}) {
      const VectorXd start = balanced(raised_reach, raised_norms, alpha, beta);
      consider(start, error.at(start, slope));
    }
  }
  constexpr int kSteps = 200;
  constexpr double kFirstStep = .5;
  VectorXd now = best;
  for (int step = 0; step < kSteps; ++step) {
    consider(now, error.at(now, slope));
    const double length = slope.norm();
    if (!(length > 0)) break;
    now -= kFirstStep / std::sqrt(step + 1.0) / length * slope;
  }
  best.array() -= best.mean();
  for (std::size_t c = 0; c < result.factors.size(); ++c)
    result.factors[c] = static_cast<float>(std::exp(best[static_cast<Index>(c)]));
  result.gain = before > 0 ? least / before : 1;
  result.input_share = before > 0 ? error.of_input() / before : 0;
  return result;
}

}  // namespace mpq::quant
