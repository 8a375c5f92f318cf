#include "analyze/adjoint_products.h"

#include <algorithm>

#include <Eigen/Core>

namespace mpq::perturb {

namespace {

double dot(const float* a, const float* b, std::size_t count) {
  const auto n = static_cast<Eigen::Index>(count);
  return static_cast<double>(Eigen::Map<const Eigen::VectorXf>(a, n).dot(Eigen::Map<const Eigen::VectorXf>(b, n)));
}

std::int64_t index_at(const Tensor& indices, std::size_t i) {
  return indices.type() == DType::kInt32 ? indices.as<std::int32_t>()[i] : indices.as<std::int64_t>()[i];
}

}  // namespace

WeightErrors ErrorCache::make(std::size_t task) const {
  const Task& description = experiment_.tasks[task];
  const std::vector<float> weight = experiment_.model.weight(description.layer);
  WeightErrors errors;
  for (std::size_t c = 0; c < description.candidates.size(); ++c) {
    std::vector<float> error = stored_.values(task, c, weight);
    for (std::size_t i = 0; i < error.size(); ++i) error[i] -= weight[i];
    errors.push_back(std::move(error));
  }
  return errors;
}

void ErrorCache::prepare(std::size_t task) {
  const Task& description = experiment_.tasks[task];
  const std::int64_t bytes = experiment_.layer_of(description).parameters *
                             static_cast<std::int64_t>(sizeof(float) * description.candidates.size());
  auto errors = std::make_shared<const WeightErrors>(make(task));
  if (bytes > left_bytes_) return;
  left_bytes_ -= bytes;
  kept_[task] = std::move(errors);
}

std::shared_ptr<const WeightErrors> ErrorCache::get(std::size_t task) const {
  return kept_[task] ? kept_[task] : std::make_shared<const WeightErrors>(make(task));
}

/// Piece by piece, so that single precision loses nothing that matters and every error is read from memory once for
/// all probes.
void Products::add_dense(const Tensor& adjoint) {
  constexpr std::size_t kPiece = 2048;
  const auto numbers = adjoint.as<float>();
  const std::size_t count = errors_.empty() ? 0 : errors_[0].size();
  for (std::size_t begin = 0; begin < count; begin += kPiece) {
    const std::size_t length = std::min(kPiece, count - begin);
    for (std::size_t c = 0; c < errors_.size(); ++c) {
      for (std::size_t r = 0; r < values_[c].size(); ++r) {
        values_[c][r] += dot(numbers.data() + r * count + begin, errors_[c].data() + begin, length);
      }
    }
  }
}

void Products::add_gathered(const Tensor& adjoint, const Tensor& indices, std::int64_t table_rows) {
  const auto numbers = adjoint.as<float>();
  const auto picked = static_cast<std::size_t>(indices.size());
  for (std::size_t c = 0; c < errors_.size(); ++c) {
    const std::size_t row = errors_[c].size() / static_cast<std::size_t>(table_rows);
    for (std::size_t r = 0; r < values_[c].size(); ++r) {
      for (std::size_t i = 0; i < picked; ++i) {
        const std::int64_t index = index_at(indices, i);
        const auto place = static_cast<std::size_t>(index < 0 ? index + table_rows : index);
        values_[c][r] += dot(numbers.data() + (r * picked + i) * row, errors_[c].data() + place * row, row);
      }
    }
  }
}

std::vector<double> Products::mean_squares() const {
  std::vector<double> means;
  for (const auto& row : values_) {
    double sum = 0;
    for (const double value : row) sum += value * value;
    means.push_back(sum / static_cast<double>(row.size()));
  }
  return means;
}

}  // namespace mpq::perturb
