#include "support/damage.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "mpq/error.h"

#include "support/values.h"

namespace mpq {
namespace {

constexpr double kLeastProbability = 1e-9;  // of a class
constexpr double kLeastStored = 1e-37;      // a float32 softmax gives no less
constexpr double kLeastBernoulli = 1e-7;    // of a sigmoid output, and of its opposite
constexpr double kLeastEnergy = 1e-30;      // stands in for an all-zero reference

/// A sum in several lanes, so that additions do not wait for each other; the order is fixed.
class LaneSum {
 public:
  template <typename Term>
  void add(std::size_t count, const Term& term) {
    std::size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) lanes_[lane] += term(i + lane);
    }
    for (; i < count; ++i) lanes_[0] += term(i);
  }
  double total() const { return (lanes_[0] + lanes_[1]) + (lanes_[2] + lanes_[3]); }

 private:
  static constexpr std::size_t kLanes = 4;
  std::array<double, kLanes> lanes_{};
};

std::string text_of(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? "," : "") + std::to_string(shape[i]);
  return text + "]";
}

void require_same_shape(const Tensor& reference, const Tensor& changed) {
  if (reference.shape() == changed.shape()) return;
  throw Error(ErrorCode::kInvalidInput, "Outputs of the shapes " + text_of(reference.shape()) + " and " +
                                            text_of(changed.shape()) + " cannot be compared.");
}

/// Squared error where some number is not finite: a position whose reference is NaN or infinite is no damage as long
/// as it stays so; everything else that is not finite is total loss.
double guarded_squared_error(const Tensor& reference, const Tensor& changed) {
  double sum = 0;
  for_each_chunk(reference, changed, [&](std::span<const double> a, std::span<const double> b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
      const double difference = a[i] - b[i];
      sum += std::isfinite(difference) ? difference * difference : std::numeric_limits<double>::infinity();
    }
  });
  return sum;
}

double guarded_energy(const Tensor& reference) {
  double sum = 0;
  for_each_chunk(reference, [&](std::span<const double> a) {
    for (const double value : a) sum += std::isfinite(value) ? value * value : 0;
  });
  return sum;
}

double dot(const Tensor& a, const Tensor& b) {
  LaneSum sum;
  for_each_chunk(a, b, [&](std::span<const double> x, std::span<const double> y) {
    sum.add(x.size(), [&](std::size_t i) { return x[i] * y[i]; });
  });
  return sum.total();
}

/// Replaces logits by their log-softmax, clipped from below at the least probability.
void log_softmax(std::span<double> row) {
  const double greatest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (const double value : row) sum += std::exp(value - greatest);
  const double shift = greatest + std::log(sum);
  const double least = std::log(kLeastProbability);
  for (double& value : row) value = std::max(value - shift, least);
}

/// Both rows clipped alike and normalised: so the divergence is never negative, and 0 for equal rows.
double row_divergence_of_logits(std::span<double> p, std::span<double> q) {
  log_softmax(p);
  log_softmax(q);
  double sum = 0, sum_p = 0, sum_q = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double probability = std::exp(p[i]);
    sum += probability * (p[i] - q[i]);
    sum_p += probability;
    sum_q += p[i] == q[i] ? probability : std::exp(q[i]);
  }
  return sum / sum_p + std::log(sum_q / sum_p);
}

double row_divergence_of_probabilities(std::span<const double> p, std::span<const double> q) {
  double sum = 0, sum_p = 0, sum_q = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    // Written so that NaN passes through.
    const double a = p[i] < kLeastProbability ? kLeastProbability : p[i];
    const double b = q[i] < kLeastProbability ? kLeastProbability : q[i];
    if (a != b) sum += a * std::log(a / b);
    sum_p += a;
    sum_q += b;
  }
  return sum / sum_p + std::log(sum_q / sum_p);
}

double divergence_over_rows(OutputKind kind, const Tensor& reference, const Tensor& changed) {
  const auto columns = static_cast<std::size_t>(reference.shape().empty() ? 1 : reference.shape().back());
  const auto count = static_cast<std::size_t>(reference.size());
  std::vector<double> p(columns), q(columns);
  double sum = 0;
  for (std::size_t first = 0; first < count; first += columns) {
    read_doubles(reference, first, p);
    read_doubles(changed, first, q);
    sum += kind == OutputKind::kLogits ? row_divergence_of_logits(p, q) : row_divergence_of_probabilities(p, q);
  }
  return sum / static_cast<double>(count / columns);
}

double bernoulli_divergence(const Tensor& reference, const Tensor& changed) {
  const auto clip = [](double x) {  // NaN passes through
    return x < kLeastBernoulli ? kLeastBernoulli : x > 1 - kLeastBernoulli ? 1 - kLeastBernoulli : x;
  };
  double sum = 0;
  for_each_chunk(reference, changed, [&](std::span<const double> a, std::span<const double> b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double p = clip(a[i]), q = clip(b[i]);
      if (p != q) sum += p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q));
    }
  });
  return sum / static_cast<double>(reference.size());
}

double one_minus_cosine(const Tensor& reference, const Tensor& changed) {
  const double a = energy(reference), b = energy(changed);
  if (a == 0 && b == 0) return 0;
  return 1 - dot(reference, changed) / std::max(std::sqrt(a) * std::sqrt(b), kLeastEnergy);
}

/// Error over energy; no error is no damage even where the reference is all zero.
double ratio(double error, double reference_energy) {
  return error == 0 ? 0 : error / std::max(reference_energy, kLeastEnergy);
}

bool has_distribution(OutputKind kind) {
  return kind == OutputKind::kLogits || kind == OutputKind::kProbabilities || kind == OutputKind::kSigmoid;
}

double raw_damage(const std::string& metric, OutputKind kind, const Tensor& reference, const Tensor& changed,
                  double reference_energy) {
  if (metric == "kl" && has_distribution(kind)) return kl_divergence(kind, reference, changed);
  if (metric == "kl" || metric == "mse") return ratio(squared_error(reference, changed), reference_energy);
  if (metric == "sqnr") return ratio(squared_error(reference, changed), energy(reference));
  if (metric == "relative_l2") return std::sqrt(ratio(squared_error(reference, changed), energy(reference)));
  if (metric == "cosine") return one_minus_cosine(reference, changed);
  throw Error(ErrorCode::kUsage, "\"" + metric + "\" is no damage metric.", "--metric",
              "Choose auto, kl, mse, relative_l2, sqnr or cosine.");
}

}  // namespace

std::vector<double> to_doubles(const Tensor& tensor) {
  std::vector<double> values(static_cast<std::size_t>(tensor.size()));
  read_doubles(tensor, 0, values);
  return values;
}

double kl_divergence(OutputKind kind, const Tensor& reference, const Tensor& changed) {
  require_same_shape(reference, changed);
  if (!has_distribution(kind))
    throw Error(ErrorCode::kInternal, std::string("An output of kind ") + to_string(kind) + " is no distribution.");
  if (reference.size() == 0) return 0;
  const double mean = kind == OutputKind::kSigmoid ? bernoulli_divergence(reference, changed)
                                                   : divergence_over_rows(kind, reference, changed);
  return mean < 0 ? 0 : mean;  // rounding; NaN passes through
}

double row_spread(OutputKind kind, const Tensor& reference, double temperature) {
  const bool rows = kind == OutputKind::kLogits || kind == OutputKind::kProbabilities;
  if (!rows || reference.size() == 0 || reference.shape().empty()) return 0;
  std::vector<double> values = to_doubles(reference);
  const auto columns = static_cast<std::size_t>(reference.shape().back());
  double total = 0;
  for (std::size_t begin = 0; begin < values.size(); begin += columns) {
    const std::span row(values.data() + begin, columns);
    if (kind == OutputKind::kProbabilities) {
      for (double& p : row) p = std::log(std::max(p, kLeastStored));
    }
    const double top = *std::max_element(row.begin(), row.end());
    double sum = 0, squares = 0;
    for (const double logit : row) {
      const double p = std::exp((logit - top) / temperature);
      sum += p;
      squares += p * p;
    }
    total += 1 - squares / (sum * sum);
  }
  const double mean = total / static_cast<double>(values.size() / columns);
  return std::isfinite(mean) ? std::max(mean, 0.0) : 0;
}

double energy(const Tensor& reference) {
  LaneSum sum;
  for_each_chunk(reference,
                 [&](std::span<const double> a) { sum.add(a.size(), [&](std::size_t i) { return a[i] * a[i]; }); });
  return std::isfinite(sum.total()) ? sum.total() : guarded_energy(reference);
}

double squared_error(const Tensor& reference, const Tensor& changed) {
  require_same_shape(reference, changed);
  LaneSum sum;
  for_each_chunk(reference, changed, [&](std::span<const double> a, std::span<const double> b) {
    sum.add(a.size(), [&](std::size_t i) { return (a[i] - b[i]) * (a[i] - b[i]); });
  });
  return std::isfinite(sum.total()) ? sum.total() : guarded_squared_error(reference, changed);
}

double sample_damage(const std::string& metric, OutputKind kind, const Tensor& reference, const Tensor& changed,
                     double reference_energy) {
  // Outputs whose extents depend on the data (detections kept) have nothing to be compared element by element.
  if (reference.shape() != changed.shape()) return kDestroyed;
  const double damage = raw_damage(metric, kind, reference, changed, reference_energy);
  if (!std::isfinite(damage)) return kDestroyed;
  return std::clamp(damage, 0.0, kDestroyed);
}

std::string resolve_metric(const std::string& metric, const std::vector<OutputKind>& kinds) {
  if (metric != "auto") return metric;
  return std::any_of(kinds.begin(), kinds.end(), has_distribution) ? "kl" : "mse";
}

}  // namespace mpq
