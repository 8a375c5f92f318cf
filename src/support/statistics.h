#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace mpq {

struct MeanError {
  double mean = 0;
  double standard_error = 0;  ///< sample standard deviation / sqrt(n); 0 for n < 2
};
/// Two-pass, in index order.
MeanError mean_and_error(std::span<const double> values);

double quantile(std::vector<double> values, double q);

/// Spearman rank correlation with mean ranks for ties; 1 for fewer than two values.
double spearman(std::span<const double> a, std::span<const double> b);

/// Wilson score interval of a proportion at 95 %.
std::pair<double, double> wilson(std::int64_t successes, std::int64_t trials);

/// Exact two-sided McNemar test: only_a, only_b = discordant counts.
double mcnemar_exact(std::int64_t only_a, std::int64_t only_b);

}  // namespace mpq
