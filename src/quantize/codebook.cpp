#include "quantize/codebook.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "quantize/entry_choice.h"
#include "quantize/entry_table.h"
#include "quantize/rounding.h"
#include "quantize/rows.h"

namespace mpq::quant {

namespace {

constexpr double kHighest = 127;  // of the entries

/// Sums over a row that tell its error under a scale and the scale that suits its entries best.
struct RowSums {
  double ww = 0, wq = 0, qq = 0;
  double best_scale() const { return qq > 0 ? wq / qq : 0; }
  double best_error() const { return qq > 0 ? ww - wq * wq / qq : ww; }
};

/// A layer while its entries and scales are sought. Rows are held one after the other.
class Fit {
 public:
  Fit(std::span<const float> weight, const Rows& rows, std::span<const float> importances)
      : length_(rows.length()), weights_(weight.size()), scales_(rows.count()) {
    rows.gather<float>(weight, 0, rows.count(), weights_.data());
    if (!importances.empty()) {
      importances_.resize(weight.size());
      rows.gather<float>(importances, 0, rows.count(), importances_.data());
    }
    normalise();
  }

  void run(int entries);
  const std::vector<std::int8_t>& entries() const { return entries_; }
  /// Scales as real numbers; rows of zeros have none (0).
  std::vector<float> scales() const { return {scales_.begin(), scales_.end()}; }

 private:
  std::size_t rows() const { return scales_.size(); }
  std::span<const float> row(std::size_t r) const { return std::span(weights_).subspan(r * length_, length_); }
  double importance(std::size_t i) const { return importances_.empty() ? 1.0 : importances_[i]; }

  void normalise();
  void choose_unit(int count);
  void choose_entries(int count);
  void fit_scales();
  void fit_scale(std::size_t r, const EntryTable& table);
  RowSums sums(std::size_t r, double scale, const EntryTable& table) const;
  template <typename Visit>
  void for_each_number(const Visit& visit) const;

  std::size_t length_;
  std::vector<float> weights_, importances_;
  std::vector<double> scales_;
  double unit_ = 1;  ///< power of two that brings the scales near 1, so that no square overflows
  std::vector<std::int8_t> entries_;
};

/// Every row by its root mean square, so that rows of all sizes share entries.
void Fit::normalise() {
  double largest = 0;
  for (const float w : weights_) largest = std::max(largest, std::fabs(static_cast<double>(w)));
  unit_ = largest > 0 ? std::ldexp(1.0, std::ilogb(largest)) : 1;
  for (std::size_t r = 0; r < rows(); ++r) {
    double squares = 0, mass = 0;
    for (std::size_t k = 0; k < length_; ++k) {
      const double w = weights_[r * length_ + k] / unit_, h = importance(r * length_ + k);
      squares += h * w * w;
      mass += h;
    }
    if (mass > 0) scales_[r] = std::sqrt(squares / mass);
  }
}

/// Calls visit(weight / scale, importance x scale^2) for every weight of the rows that have a scale.
template <typename Visit>
void Fit::for_each_number(const Visit& visit) const {
  for (std::size_t r = 0; r < rows(); ++r) {
    if (scales_[r] == 0) continue;
    const double inverse = 1 / (scales_[r] * unit_), square = scales_[r] * scales_[r];
    for (std::size_t k = 0; k < length_; ++k) {
      const std::size_t i = r * length_ + k;
      visit(static_cast<double>(weights_[i]) * inverse, importance(i) * square);
    }
  }
}

/// How far the entries reach: from the largest number inwards as long as clipping pays.
void Fit::choose_unit(int count) {
  constexpr int kBins = 8192;
  constexpr double kStep = 0.8;
  constexpr int kMostSteps = 24;
  double reach = 0;
  for_each_number([&](double x, double) { reach = std::max(reach, std::fabs(x)); });
  if (reach == 0) return;
  std::vector<HalfStepMoments::Sums> bins(kBins);
  const double per_bin = kBins / (2 * reach);
  for_each_number([&](double x, double mass) {
    const double place = std::clamp((x + reach) * per_bin, 0.0, kBins - 1.0);
    HalfStepMoments::Sums& bin = bins[static_cast<std::size_t>(place)];
    bin.mass += mass;
    bin.first += mass * x;
  });
  double unit = reach / kHighest, best = unit, least = -1;
  for (int step = 0; step < kMostSteps; ++step, unit *= kStep) {
    HalfStepMoments moments;
    for (const HalfStepMoments::Sums& bin : bins) {
      if (bin.mass > 0) moments.add(bin.first / bin.mass / unit, bin.mass);
    }
    const double error = best_entries(moments, count).error * unit * unit;
    if (least >= 0 && error >= least) break;
    least = error;
    best = unit;
  }
  for (double& scale : scales_) scale *= best;
}

void Fit::choose_entries(int count) {
  HalfStepMoments moments;
  for_each_number([&](double x, double mass) { moments.add(x, mass); });
  entries_ = best_entries(moments, count).entries;
}

RowSums Fit::sums(std::size_t r, double scale, const EntryTable& table) const {
  RowSums result;
  const auto inverse = static_cast<float>(1 / (scale * unit_));
  for (std::size_t k = 0; k < length_; ++k) {
    const std::size_t i = r * length_ + k;
    const double w = weights_[i] / unit_, q = table.nearest(weights_[i] * inverse), h = importance(i);
    result.ww += h * w * w;
    result.wq += h * w * q;
    result.qq += h * q * q;
  }
  return result;
}

/// The least-squares scale for the entries the row has now; short rows also look around, on both sides of zero.
void Fit::fit_scale(std::size_t r, const EntryTable& table) {
  constexpr std::size_t kShortRow = 64;
  constexpr std::array<double, 8> kRatios = {.7, .8, .9, 1.1, 1.2, 1.35, -1, -1.15};
  RowSums best = sums(r, scales_[r], table);
  if (length_ <= kShortRow) {
    for (const double ratio : kRatios) {
      const RowSums other = sums(r, ratio * scales_[r], table);
      if (other.best_error() < best.best_error()) best = other;
    }
  }
  if (best.best_scale() != 0) scales_[r] = best.best_scale();
}

void Fit::fit_scales() {
  const EntryTable table(entries_);
  for (std::size_t r = 0; r < rows(); ++r) {
    if (scales_[r] != 0) fit_scale(r, table);
  }
}

void Fit::run(int count) {
  constexpr int kTurns = 3;
  choose_unit(count);
  for (int turn = 0; turn < kTurns; ++turn) {
    choose_entries(count);
    fit_scales();
  }
  for (double& scale : scales_) scale *= unit_;
}

/// A row of zeros takes the entry nearest to zero, which may not be zero: its scale is next to nothing then.
void give_idle_rows_a_scale(std::span<const std::int8_t> entries, std::vector<float>& scales) {
  if (std::binary_search(entries.begin(), entries.end(), std::int8_t{0})) return;
  constexpr float kNothing = 0x1p-26F;
  float largest = 0;
  for (const float scale : scales) largest = std::max(largest, std::fabs(scale));
  for (float& scale : scales) {
    if (scale == 0) scale = kNothing * largest;
  }
}

}  // namespace

QuantizedTensor quantize_codebook(std::span<const float> weight, const Layer& layer, const Candidate& candidate,
                                  std::span<const float> importances) {
  QuantizedTensor result{candidate, layer.shape, scale_layout(layer, candidate), {}, {}, 1, {}};
  check_weight(weight, layer, result.layout);
  const Rows rows(result.layout);
  Fit fit(weight, rows, importances);
  fit.run(1 << candidate.bits);
  result.codebook = fit.entries();
  std::vector<float> scales = fit.scales();
  give_idle_rows_a_scale(result.codebook, scales);
  set_scales(scales, result);

  const EntryTable table(result.codebook);
  const float limit = largest_product(layer.dtype);
  scales = scales_of(result);
  result.values.resize(weight.size());
  std::vector<float> row(rows.length());
  std::vector<std::int8_t> values(rows.length());
  for (std::size_t r = 0; r < rows.count(); ++r) {
    rows.gather<float>(weight, r, 1, row.data());
    for (std::size_t k = 0; k < row.size(); ++k) {
      values[k] = finite_value(static_cast<std::int8_t>(table.nearest(row[k] / scales[r])), scales[r], limit,
                               result.codebook);
    }
    rows.scatter<std::int8_t>(values.data(), r, 1, result.values);
  }
  return result;
}

QuantizedTensor codebook_of_grid(std::span<const float> weight, const Layer& layer, const Candidate& candidate,
                                 ScaleFit fit) {
  QuantizedTensor result = quantize_grid(weight, layer, {candidate.bits, "grid", 0}, fit);
  result.candidate = candidate;
  const IntegerRange range(candidate.bits);
  result.codebook.resize(std::size_t{1} << candidate.bits);
  std::iota(result.codebook.begin(), result.codebook.end(), static_cast<std::int8_t>(range.low));
  return result;
}

QuantizedTensor quantize_weight(std::span<const float> weight, const Layer& layer, const Candidate& candidate,
                                ScaleFit fit, int threads) {
  return candidate.form == "codebook" ? quantize_codebook(weight, layer, candidate)
                                      : quantize_grid(weight, layer, candidate, fit, threads);
}

}  // namespace mpq::quant
