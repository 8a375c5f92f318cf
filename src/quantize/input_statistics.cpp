#include "quantize/input_statistics.h"

#include <algorithm>

#include "quantize/matrix_product.h"

namespace mpq::quant {

namespace {

using FloatRows = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

/// Row after row, as they lie in memory.
template <typename Rows>
void add_rows(const Rows& rows, Eigen::VectorXd& sum) {
  for (Eigen::Index i = 0; i < rows.rows(); ++i) sum += rows.row(i).transpose().template cast<double>();
}

}  // namespace

Moments2::Moments2(std::size_t columns, bool drifts)
    : gram(DoubleMatrix::Zero(static_cast<Eigen::Index>(columns), static_cast<Eigen::Index>(columns))),
      sum(Eigen::VectorXd::Zero(static_cast<Eigen::Index>(columns))) {
  if (!drifts) return;
  cross = gram;
  drift = sum;
}

void Moments2::operator+=(const Moments2& other) {
  gram += other.gram;
  sum += other.sum;
  count += other.count;
  if (!drifts()) return;
  cross += other.cross;
  drift += other.drift;
}

Eigen::VectorXd Moments2::mean() const { return count > 0 ? Eigen::VectorXd(sum / count) : sum; }

DoubleMatrix Moments2::centred() const {
  DoubleMatrix result = gram;
  if (count > 0) result.noalias() -= sum * sum.transpose() / count;
  return result;
}

DoubleMatrix Moments2::centred_cross() const {
  DoubleMatrix result = cross;
  if (count > 0) result.noalias() -= sum * drift.transpose() / count;
  return result;
}

bool InputStatistics::usable() const {
  const auto seen = [](const Moments2& moments) {
    return moments.count > 0 && moments.gram.allFinite() && moments.cross.allFinite();
  };
  return !fit.empty() && std::all_of(fit.begin(), fit.end(), seen) &&
         std::all_of(held_out.begin(), held_out.end(), seen);
}

void InputStatistics::add(std::size_t group, bool to_fit, std::span<const float> rows, std::size_t count,
                          std::span<const float> original, int threads) {
  Moments2& moments = (to_fit ? fit : held_out)[group];
  const Eigen::Index columns = moments.sum.size();
  const FloatRows x(rows.data(), static_cast<Eigen::Index>(count), columns);
  // Products in single precision over these rows, sums over many of them in double.
  constexpr Eigen::Index kSmall = 12;
  if (columns <= kSmall) {
    const DoubleMatrix doubles = x.cast<double>();
    moments.gram.noalias() += doubles.transpose() * doubles;
  } else {
    moments.gram += transpose_times(rows, {}, count, threads).cast<double>();
  }
  add_rows(x, moments.sum);
  moments.count += static_cast<double>(count);
  if (!moments.drifts() || original.size() != rows.size()) return;
  const Matrix moved = x - FloatRows(original.data(), static_cast<Eigen::Index>(count), columns);
  moments.cross += transpose_times(rows, {moved.data(), rows.size()}, count, threads).cast<double>();
  add_rows(moved, moments.drift);
}

RowCollector::RowCollector(InputStatistics& statistics, int threads)
    : statistics_(statistics), threads_(threads), fit_(statistics.fit.size()), held_out_(statistics.fit.size()) {}

void RowCollector::add(std::size_t group, bool to_fit, std::span<const float> rows, std::size_t count,
                       std::span<const float> original) {
  constexpr std::size_t kFewColumns = 128, kEnough = std::size_t{1} << 20;
  if (columns() < kFewColumns || rows.size() >= kEnough) {
    return statistics_.add(group, to_fit, rows, count, original, threads_);
  }
  Rows& kept = (to_fit ? fit_ : held_out_)[group];
  kept.now.insert(kept.now.end(), rows.begin(), rows.end());
  if (drifts()) kept.before.insert(kept.before.end(), original.begin(), original.end());
  if (kept.now.size() >= kEnough) flush(group, to_fit);
}

void RowCollector::flush() {
  for (std::size_t group = 0; group < groups(); ++group) {
    flush(group, true);
    flush(group, false);
  }
}

void RowCollector::flush(std::size_t group, bool to_fit) {
  Rows& kept = (to_fit ? fit_ : held_out_)[group];
  if (!kept.now.empty()) {
    statistics_.add(group, to_fit, kept.now, kept.now.size() / columns(), kept.before, threads_);
  }
  kept = {};
}

OutputError::OutputError(const Moments2& inputs) : mean_(inputs.mean().cast<float>()), count_(inputs.count) {
  const DoubleMatrix centred = inputs.centred();
  const double mean = centred.diagonal().mean();
  unit_ = mean > 0 ? mean : 1;
  covariance_ = (centred / unit_).cast<float>();
  if (!inputs.drifts()) return;
  cross_ = (inputs.centred_cross() / unit_).cast<float>();
  drift_ = (inputs.drift / std::max(inputs.count, 1.0)).cast<float>();
}

double OutputError::of(const Matrix& error, const Matrix& weights, const Eigen::VectorXf& shift) const {
  Matrix product = times(error, covariance_);
  double spread = product.cwiseProduct(error).cast<double>().sum();
  Eigen::VectorXf left = error * mean_;
  if (drift_.size() > 0) {
    product = times(error, cross_);
    spread += 2 * product.cwiseProduct(weights).cast<double>().sum();
    left += weights * drift_;
  }
  if (shift.size() > 0) left -= shift;
  return unit_ * spread + count_ * left.cast<double>().squaredNorm();
}

}  // namespace mpq::quant
