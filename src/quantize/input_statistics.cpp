#include "quantize/input_statistics.h"

#include <algorithm>

namespace mpq::quant {

namespace {

using FloatRows = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

}  // namespace

Moments2::Moments2(std::size_t columns)
    : gram(Matrix::Zero(static_cast<Eigen::Index>(columns), static_cast<Eigen::Index>(columns))),
      sum(Eigen::VectorXd::Zero(static_cast<Eigen::Index>(columns))) {}

void Moments2::operator+=(const Moments2& other) {
  gram += other.gram;
  sum += other.sum;
  count += other.count;
}

Eigen::VectorXd Moments2::mean() const { return count > 0 ? Eigen::VectorXd(sum / count) : sum; }

Matrix Moments2::centred() const {
  Matrix result = gram;
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
    const Matrix doubles = x.cast<double>();
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

double output_error(const Matrix& error, const Moments2& inputs, const Eigen::VectorXd* shift) {
  const Matrix product = error * inputs.gram;
  double result = product.cwiseProduct(error).sum();
  if (shift == nullptr) return result;
  const Eigen::VectorXd shifted = error * inputs.sum;
  return result - 2 * shift->dot(shifted) + inputs.count * shift->squaredNorm();
}

}  // namespace mpq::quant
