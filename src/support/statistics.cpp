#include "support/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "mpq/error.h"

namespace mpq {
namespace {

/// Ranks from 0, equal values sharing the mean of their ranks.
std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> rank(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    const double shared = 0.5 * (static_cast<double>(first) + static_cast<double>(last));
    for (std::size_t i = first; i <= last; ++i) rank[order[i]] = shared;
    first = last + 1;
  }
  return rank;
}

}  // namespace

MeanError mean_and_error(std::span<const double> values) {
  MeanError result;
  if (values.empty()) return result;
  const auto n = static_cast<double>(values.size());
  result.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() < 2) return result;
  double squares = 0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.standard_error = std::sqrt(squares / (n - 1) / n);
  return result;
}

double quantile(std::vector<double> values, double q) {
  if (values.empty()) throw Error(ErrorCode::kInternal, "A quantile of no values was asked for.");
  if (!(q >= 0 && q <= 1)) throw Error(ErrorCode::kUsage, "A quantile lies between 0 and 1.");
  std::sort(values.begin(), values.end());
  const double position = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const double fraction = position - static_cast<double>(below);
  if (fraction == 0) return values[below];  // also keeps an infinite neighbour out
  return values[below] + fraction * (values[below + 1] - values[below]);
}

double spearman(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) throw Error(ErrorCode::kInternal, "A rank correlation needs two lists of one length.");
  if (a.size() < 2) return 1;
  const std::vector<double> x = ranks(a), y = ranks(b);
  const double mean = 0.5 * static_cast<double>(a.size() - 1);
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
    xy += (x[i] - mean) * (y[i] - mean);
  }
  if (xx == 0 && yy == 0) return 1;
  if (xx == 0 || yy == 0) return 0;
  return std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
}

std::pair<double, double> wilson(std::int64_t successes, std::int64_t trials) {
  if (successes < 0 || successes > trials) throw Error(ErrorCode::kInternal, "More successes than trials.");
  if (trials == 0) return {0, 1};
  constexpr double kZ = 1.959963984540054;  // 97.5 % point of the normal distribution
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n;
  const double scale = 1 + kZ * kZ / n;
  const double centre = (p + kZ * kZ / (2 * n)) / scale;
  const double half = kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n)) / scale;
  // At the ends the formula gives exactly 0 and 1; rounding must not spoil that.
  return {successes == 0 ? 0 : std::max(0.0, centre - half), successes == trials ? 1 : std::min(1.0, centre + half)};
}

double mcnemar_exact(std::int64_t only_a, std::int64_t only_b) {
  if (only_a < 0 || only_b < 0) throw Error(ErrorCode::kInternal, "Negative counts in McNemar's test.");
  const auto k = std::min(only_a, only_b);
  const auto n = static_cast<double>(only_a + only_b);
  if (only_a == only_b) return 1;
  // Twice the lower tail of Binomial(n, 1/2): the largest term by logarithms, the others by their ratios.
  const auto top = static_cast<double>(k);
  double term = std::exp(std::lgamma(n + 1) - std::lgamma(top + 1) - std::lgamma(n - top + 1) - n * std::log(2.0));
  double tail = 0;
  for (std::int64_t i = k; i >= 0 && term > 0; --i) {
    tail += term;
    term *= static_cast<double>(i) / (n - static_cast<double>(i) + 1);
  }
  return std::min(1.0, 2 * tail);
}

}  // namespace mpq
