#include "analyze/settle.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "support/statistics.h"

namespace mpq::perturb {

namespace {

constexpr double kNoMatter = 0.25;  ///< relative difference of damages below which their order does not matter
constexpr double kDecidedShare = 0.95;
constexpr double kPreciseError = 0.05;

/// 97.5 % point of Student's t, by the expansion around the normal point (Abramowitz and Stegun 26.7.5): with four
/// trials a normal interval would be a third too short.
double student_975(double freedom) {
  constexpr double z = 1.959963984540054;
  constexpr double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
  return z + (z3 + z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * freedom * freedom * freedom);
}

bool decided(std::span<const double> a, std::span<const double> b) {
  const std::size_t common = std::min(a.size(), b.size());
  if (common < 2) return false;
  std::vector<double> difference(common);
  for (std::size_t k = 0; k < common; ++k) difference[k] = a[k] - b[k];
  const MeanError gap = mean_and_error(difference);
  const double reach = student_975(static_cast<double>(common - 1)) * gap.standard_error;
  if (std::fabs(gap.mean) > reach) return true;
  const double larger = std::max(mean_and_error(a.first(common)).mean, mean_and_error(b.first(common)).mean);
  return std::fabs(gap.mean) + reach <= kNoMatter * larger;
}

}  // namespace

bool ranking_settled(const std::vector<std::span<const double>>& rows) {
  std::vector<double> scores;
  for (const auto& row : rows) {
    if (row.size() < 2) return false;
    scores.push_back(mean_and_error(row).mean);
  }
  if (rows.size() < 2) return rows.empty() || precise({{rows[0].begin(), rows[0].end()}});
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return scores[i] > scores[j]; });
  std::size_t good = 0;
  for (std::size_t i = 0; i + 1 < order.size(); ++i) good += decided(rows[order[i]], rows[order[i + 1]]) ? 1U : 0U;
  return static_cast<double>(good) >= kDecidedShare * static_cast<double>(order.size() - 1);
}

bool precise(const DamageTable& damages) {
  return std::all_of(damages.begin(), damages.end(), [](const std::vector<double>& row) {
    const MeanError score = mean_and_error(row);
    return row.size() >= 2 && score.standard_error <= kPreciseError * score.mean;
  });
}

double rank_stability(const std::vector<std::span<const double>>& rows) {
  std::vector<double> even, odd;
  for (const auto& row : rows) {
    if (row.size() < 2) return 0;
    std::vector<double> halves[2];
    for (std::size_t k = 0; k < row.size(); ++k) halves[k % 2].push_back(row[k]);
    even.push_back(mean_and_error(halves[0]).mean);
    odd.push_back(mean_and_error(halves[1]).mean);
  }
  return spearman(even, odd);
}

}  // namespace mpq::perturb
