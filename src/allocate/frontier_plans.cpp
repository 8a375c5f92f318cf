#include <algorithm>
#include <cmath>
#include <cstdio>

#include "mpq/allocate.h"

namespace mpq {
namespace {

/// A larger budget limits nothing (Budget::parse).
constexpr double kMostBits = 16;

/// Hundredths of a bit, rounded up: the point itself must fit.
Budget bits_budget(double bits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2fbit", std::min(kMostBits, std::ceil(bits * 100 - 1e-9) / 100));
  return Budget::parse(text);
}

}  // namespace

std::vector<Plan> frontier_plans(const Sensitivity& scores, std::size_t count, const AllocateOptions& options) {
  const std::vector<FrontierPoint> points = frontier(scores, options);
  if (points.empty() || count == 0) return {};
  std::vector<Budget> budgets;
  if (points.size() <= count) {
    for (const FrontierPoint& point : points) {
      if (point.bits_per_weight <= kMostBits) budgets.push_back(bits_budget(point.bits_per_weight));
    }
  } else {
    const double low = points.front().bits_per_weight, high = std::min(points.back().bits_per_weight, kMostBits);
    const double steps = std::max(1.0, static_cast<double>(count) - 1);
    for (std::size_t i = 0; i < count; ++i)
      budgets.push_back(bits_budget(low * std::pow(high / low, static_cast<double>(i) / steps)));
  }
  std::vector<Plan> plans;
  for (Plan& plan : allocate(scores, budgets, options)) {
    // Neighbouring budgets may give one plan; the smaller budget names it.
    if (plans.empty() || plan.stored_bytes > plans.back().stored_bytes) plans.push_back(std::move(plan));
  }
  return plans;
}

}  // namespace mpq
