#include "analyze/piece_products.h"

#include <algorithm>

#include <Eigen/Core>

#include "mpq/error.h"

#include "support/parallel.h"

namespace mpq::perturb {

namespace {

/// <error, row> of every row. Rows of hundreds of megabytes are read a piece at a time, so that a piece of the error is
/// read from the cache for all rows, and single precision sums few numbers.
std::vector<double> dots(std::span<const float> error, const Tensor& rows) {
  constexpr std::size_t kAtOnce = std::size_t{1} << 15;
  const auto count = static_cast<std::size_t>(rows.shape()[0]);
  std::vector<double> sums(count, 0.0);
  for (std::size_t begin = 0; begin < error.size(); begin += kAtOnce) {
    const auto length = static_cast<Eigen::Index>(std::min(kAtOnce, error.size() - begin));
    const Eigen::Map<const Eigen::VectorXf> part(error.data() + begin, length);
    for (std::size_t row = 0; row < count; ++row) {
      const float* numbers = rows.as<float>().data() + row * error.size() + begin;
      sums[row] += static_cast<double>(part.dot(Eigen::Map<const Eigen::VectorXf>(numbers, length)));
    }
  }
  return sums;
}

}  // namespace

void add_products(const Experiment& experiment, std::size_t task, const LayerAdjoints& adjoints,
                  std::span<const std::size_t> trials, std::int64_t limit_bytes, CostMeter& cost,
                  ProductTable& products) {
  const Task& description = experiment.tasks[task];
  const Layer& layer = experiment.layer_of(description);
  const auto probes = static_cast<std::size_t>(experiment.options.probes);
  const std::vector<float> weight = experiment.model.weight(description.layer);
  // Numbers as floats, and, while they are made, as integers.
  const auto each = static_cast<std::int64_t>(weight.size() * (sizeof(float) + 1) + 1);
  const auto fitting = static_cast<int>(std::clamp<std::int64_t>(limit_bytes / each, 1, 1024));
  const int threads = resolve_threads(experiment.options.threads), workers = std::min(threads, fitting);
  const int inner = workers == 1 ? threads : 1;
  parallel_for(description.candidates.size(), workers, [&](std::size_t c, int) {
    const double begin = thread_seconds();
    std::vector<float> error = quant::stored_values(weight, layer, description.candidates[c], experiment.fit, inner);
    for (std::size_t i = 0; i < error.size(); ++i) error[i] -= weight[i];
    const double fitted = thread_seconds();
    if (adjoints.dense.size() > 0) {
      const std::vector<double> sums = dots(error, adjoints.dense);
      for (std::size_t row = 0; row < trials.size() * probes; ++row)
        products.add(c, trials[row / probes], row % probes, sums[row]);
    }
    for (std::size_t part = 0; part < adjoints.gathered.size(); part += 2) {
      for (std::size_t k = 0; k < trials.size(); ++k) {
        for (std::size_t r = 0; r < probes; ++r) {
          products.add(c, trials[k], r,
                       gathered_product(adjoints.gathered[part][k], adjoints.gathered[part + 1][k], error,
                                        layer.shape.front(), r));
        }
      }
    }
    cost.add(thread_seconds() - fitted, fitted - begin, 0);
  });
}

}  // namespace mpq::perturb
