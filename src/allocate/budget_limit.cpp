#include "allocate/budget_limit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "mpq/error.h"

#include "support/text.h"

namespace mpq {

namespace {

/// Whole bytes of a limit; a product that misses a whole number by rounding only still counts as that number.
std::int64_t whole_bytes(double bytes) {
  const double forgiving = bytes * (1 + 4 * std::numeric_limits<double>::epsilon());
  constexpr double kMost = 9.0e18;
  return forgiving >= kMost ? std::numeric_limits<std::int64_t>::max() / 2 : static_cast<std::int64_t>(forgiving);
}

void check(const Budget& budget, const Sensitivity& scores) {
  if (!std::isfinite(budget.value) || budget.value <= 0) {
    throw Error(ErrorCode::kUsage,
                "A budget must be a positive number, but this one is " + format_number(budget.value) + ".", budget.text,
                "Examples: 6bit, 5.5bit, 12MB, 12MiB, 25%, 4x.");
  }
  const bool relative = budget.unit == Budget::Unit::kPercent || budget.unit == Budget::Unit::kRatio;
  if (relative && scores.model.bytes <= 0) {
    throw Error(ErrorCode::kInvalidInput,
                "The sensitivity record does not say how large the model is, so a share of it has no meaning.",
                budget.text, "Give the budget in bit or MB, or analyze the model again.");
  }
}

}  // namespace

BudgetLimit resolve(const Budget& budget, const Sensitivity& scores) {
  check(budget, scores);
  const auto model_bytes = static_cast<double>(scores.model.bytes);
  switch (budget.unit) {
    case Budget::Unit::kBitsPerWeight:
      return {false, whole_bytes(budget.value * static_cast<double>(knapsack::parameters_of(scores)) / 8)};
    case Budget::Unit::kBytes:
      return {true, whole_bytes(budget.value)};
    case Budget::Unit::kPercent:
      return {true, whole_bytes(model_bytes * budget.value / 100)};
    case Budget::Unit::kRatio:
      return {true, whole_bytes(model_bytes / budget.value)};
    case Budget::Unit::kSeconds:
      throw Error(ErrorCode::kUsage, "A budget of time limits no size.", budget.text,
                  "Give it as AllocateOptions::time_budget, beside one of the size.");
  }
  throw Error(ErrorCode::kInternal, "The budget has an unknown unit.", budget.text);
}

namespace knapsack {

namespace {

/// Up to two decimals, rounded up (or down), without trailing zeros.
std::string rounded(double value, bool up) {
  const double hundredths = value * 100;
  const double whole = up ? std::ceil(hundredths - 1e-9) : std::floor(hundredths + 1e-9);
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.2f", whole / 100);
  std::string text = buffer.data();
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string bytes_text(std::int64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes >= 1'000'000) return rounded(value / 1e6, true) + "MB";
  if (bytes >= 1'000) return rounded(value / 1e3, true) + "kB";
  return std::to_string(bytes) + "B";
}

}  // namespace

std::int64_t parameters_of(const Sensitivity& scores) {
  std::int64_t sum = 0;
  for (const LayerSensitivity& layer : scores.layers) sum += layer.layer.parameters;
  return sum;
}

std::string time_budget_text(double seconds) {
  constexpr double kDigits = 1000;
  const double unit = seconds < 1e-3 ? 1e-6 : seconds < 1 ? 1e-3 : 1;
  const double value = seconds / unit;
  double step = 1;
  while (value > 0 && value / step < kDigits / 10) step /= 10;
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.6g", std::ceil(value / step - 1e-9) * step);
  return std::string(buffer.data()) + (unit == 1 ? "s" : unit == 1e-3 ? "ms" : "us");
}

std::string describe_range(const FeasibleRange& range, Budget::Unit unit, const Sensitivity& scores) {
  const auto model_bytes = static_cast<double>(scores.model.bytes);
  const auto bits = [&](std::int64_t bytes) {
    const auto parameters = static_cast<double>(std::max<std::int64_t>(parameters_of(scores), 1));
    return rounded(8 * static_cast<double>(bytes) / parameters, true) + "bit";
  };
  const auto percent = [&](std::int64_t bytes) {
    return rounded(100 * static_cast<double>(bytes) / model_bytes, true) + "%";
  };
  const auto ratio = [&](std::int64_t bytes) { return rounded(model_bytes / static_cast<double>(bytes), false) + "x"; };

  std::vector<std::pair<Budget::Unit, std::string>> ways{
      {Budget::Unit::kBitsPerWeight, bits(range.least_stored) + " to " + bits(range.most_stored)},
      {Budget::Unit::kBytes, bytes_text(range.least_file) + " to " + bytes_text(range.most_file)}};
  if (scores.model.bytes > 0 && range.least_file > 0) {
    ways.emplace_back(Budget::Unit::kPercent, percent(range.least_file) + " to " + percent(range.most_file));
    ways.emplace_back(Budget::Unit::kRatio, ratio(range.least_file) + " to " + ratio(range.most_file));
  }
  std::stable_partition(ways.begin(), ways.end(), [&](const auto& way) { return way.first == unit; });
  std::vector<std::string> texts;
  for (const auto& way : ways) texts.push_back(way.second);
  return join(texts, ", or ");
}

}  // namespace knapsack
}  // namespace mpq
