#include "verify/figures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "support/statistics.h"

namespace mpq::judge {

namespace {

bool has_rows_of_scores(OutputKind kind) { return kind == OutputKind::kLogits || kind == OutputKind::kProbabilities; }
bool is_ranked(OutputKind kind) { return kind != OutputKind::kTensor; }

std::size_t columns_of(const Tensor& tensor) {
  return static_cast<std::size_t>(tensor.shape().empty() ? 1 : tensor.shape().back());
}

double finite(double value) { return std::isfinite(value) ? std::min(value, kDestroyed) : kDestroyed; }

/// The first largest; NaN is never the largest.
std::size_t argmax(std::span<const double> row) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < row.size(); ++i) {
    if (row[i] > row[best] || (std::isnan(row[best]) && !std::isnan(row[i]))) best = i;
  }
  return best;
}

bool any_nan(std::span<const double> values) {
  return std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); });
}

void count_same_top(OutputKind kind, std::span<const double> a, std::span<const double> b, std::size_t columns,
                    Figures& figures) {
  const std::size_t width = has_rows_of_scores(kind) ? columns : 1;
  for (std::size_t first = 0; first < a.size(); first += width) {
    const auto p = a.subspan(first, width), q = b.subspan(first, width);
    bool same = false;
    if (has_rows_of_scores(kind)) same = !any_nan(q) && argmax(p) == argmax(q);
    if (kind == OutputKind::kSigmoid) same = !any_nan(q) && (p[0] > 0.5) == (q[0] > 0.5);
    if (kind == OutputKind::kLabels) same = p[0] == q[0];
    figures.same_top += same ? 1 : 0;
    ++figures.rows;
  }
}

double largest_difference(std::span<const double> a, std::span<const double> b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double difference = std::fabs(a[i] - b[i]);
    largest = std::isnan(difference) ? std::numeric_limits<double>::infinity() : std::max(largest, difference);
  }
  return largest;
}

}  // namespace

Figures compare(OutputKind kind, const Tensor& reference, const Tensor& quantized) {
  Figures figures;
  figures.energy = energy(reference);
  if (reference.shape() != quantized.shape()) {
    figures.lost = true;
    figures.squared_error = figures.energy;
    return figures;
  }
  figures.squared_error = squared_error(reference, quantized);
  // 1 - cosine is the damage metric's formula; at most 1e6 for what is no number, which is no direction at all.
  figures.cosine = std::max(-1.0, 1 - sample_damage("cosine", kind, reference, quantized, figures.energy));
  const std::vector<double> a = to_doubles(reference), b = to_doubles(quantized);
  figures.max_abs = largest_difference(a, b);
  if (is_ranked(kind)) count_same_top(kind, a, b, columns_of(reference), figures);
  if (is_ranked(kind) && kind != OutputKind::kLabels) {
    figures.kl_sum = kl_divergence(kind, reference, quantized) * static_cast<double>(figures.rows);
  }
  return figures;
}

OutputComparison summarize(const std::string& name, OutputKind kind, const std::vector<Figures>& samples) {
  Figures sum;
  for (const Figures& sample : samples) {
    sum.energy += sample.energy;
    sum.squared_error += sample.squared_error;
    sum.cosine += sample.cosine;
    sum.max_abs = std::max(sum.max_abs, sample.max_abs);
    sum.kl_sum += sample.kl_sum;
    sum.rows += sample.rows;
    sum.same_top += sample.same_top;
  }
  constexpr double kBestDecibels = 300;
  OutputComparison result;
  result.name = name;
  result.kind = to_string(kind);
  result.relative_mse = sum.squared_error == 0 ? 0 : finite(sum.squared_error / sum.energy);
  result.sqnr_db =
      result.relative_mse == 0 ? kBestDecibels : std::min(kBestDecibels, -10 * std::log10(result.relative_mse));
  result.cosine = sum.cosine / static_cast<double>(samples.size());
  result.max_abs = std::isfinite(sum.max_abs) ? sum.max_abs : kDestroyed;
  result.rows = sum.rows;
  if (sum.rows == 0) return result;
  const auto rows = static_cast<double>(sum.rows);
  if (kind != OutputKind::kLabels) result.kl = finite(sum.kl_sum / rows);
  result.top1_agreement = static_cast<double>(sum.same_top) / rows;
  const auto [low, high] = wilson(sum.same_top, sum.rows);
  result.top1_low = low;
  result.top1_high = high;
  return result;
}

std::int64_t predicted_class(OutputKind kind, const Tensor& output) {
  const std::int64_t size = output.size();
  if (kind == OutputKind::kTensor || size == 0) return -1;
  const std::vector<double> values = size > 0 && (size == 1 || size == static_cast<std::int64_t>(columns_of(output)))
                                         ? to_doubles(output)
                                         : std::vector<double>{};
  if (values.empty()) return -1;
  if (kind == OutputKind::kLabels) return size == 1 ? static_cast<std::int64_t>(values[0]) : -1;
  if (size == 1) return kind == OutputKind::kSigmoid ? (values[0] > 0.5 ? 1 : 0) : -1;
  return static_cast<std::int64_t>(argmax(values));
}

std::int64_t class_count(OutputKind kind, const Tensor& output) {
  if (kind == OutputKind::kLabels || kind == OutputKind::kTensor) return 0;
  return output.size() == 1 ? 2 : static_cast<std::int64_t>(columns_of(output));
}

}  // namespace mpq::judge
