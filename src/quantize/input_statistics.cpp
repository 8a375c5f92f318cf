#include "quantize/input_statistics.h"

#include <algorithm>

namespace mpq::quant {

namespace {

using FloatRows = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

}  // namespace

Moments2::Moments2(std::size_t columns)
    : gram(DoubleMatrix::Zero(static_cast<Eigen::Index>(columns), static_cast<Eigen::Index>(columns))),
      sum(Eigen::VectorXd::Zero(static_cast<Eigen::Index>(columns))) {}

void Moments2::operator+=(const Moments2& other) {
  gram += other.gram;
  sum += other.sum;
  count += other.count;
}

Eigen::VectorXd Moments2::mean() const { return count > 0 ? Eigen::VectorXd(sum / count) : sum; }

DoubleMatrix Moments2::centred() const {
  DoubleMatrix result = gram;
  if (count > 0) result.noalias() -= sum * sum.transpose() / count;
  return result;
}

bool InputStatistics::usable() const {
  const auto seen = [](const Moments2& moments) { return moments.count > 0 && moments.gram.allFinite(); };
  return !fit.empty() && std::all_of(fit.begin(), fit.end(), seen) &&
         std::all_of(held_out.begin(), held_out.end(), seen);
}

void InputStatistics::add(std::size_t group, bool to_fit, std::span<const float> rows, std::size_t count) {
  Moments2& moments = (to_fit ? fit : held_out)[group];
  const Eigen::Index columns = moments.sum.size();
  const FloatRows x(rows.data(), static_cast<Eigen::Index>(count), columns);
  // Products in single precision over one sample, sums over samples in double.
  constexpr Eigen::Index kSmall = 32;
  if (columns <= kSmall) {
    const DoubleMatrix doubles = x.cast<double>();
    moments.gram.noalias() += doubles.transpose() * doubles;
  } else {
    Eigen::MatrixXf product = Eigen::MatrixXf::Zero(columns, columns);
    product.selfadjointView<Eigen::Lower>().rankUpdate(x.transpose());
    const Eigen::MatrixXf full = product.selfadjointView<Eigen::Lower>();
    moments.gram += full.cast<double>();
  }
  moments.sum += x.cast<double>().colwise().sum().transpose();
  moments.count += static_cast<double>(count);
}

OutputError::OutputError(const Moments2& inputs) : mean_(inputs.mean().cast<float>()), count_(inputs.count) {
  const DoubleMatrix centred = inputs.centred();
  const double mean = centred.diagonal().mean();
  unit_ = mean > 0 ? mean : 1;
  covariance_ = (centred / unit_).cast<float>();
}

double OutputError::of(const Matrix& error, const Eigen::VectorXf& shift) const {
  const Matrix product = error * covariance_;
  const double spread = unit_ * product.cwiseProduct(error).cast<double>().sum();
  Eigen::VectorXf left = error * mean_;
  if (shift.size() > 0) left -= shift;
  return std::max(spread, 0.0) + count_ * left.cast<double>().squaredNorm();
}

}  // namespace mpq::quant
