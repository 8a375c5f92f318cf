#include "prices/row_prices.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>
#include <span>

#include "analyze/derived_candidates.h"
#include "encode/plan_check.h"
#include "quantize/grid.h"
#include "quantize/rows.h"
#include "support/parallel.h"

namespace mpq {

namespace {

constexpr double kWorthwhile = 0.9;  // of what plain grids of the same bytes would cost
constexpr std::size_t kWindow = 4;   // widths of one candidate, as many as a file tells apart
static_assert(kWindow == kMostRowWidths);

/// What every row errs at every width, and what the plain grids cost.
struct RowErrors {
  std::vector<int> widths;                      ///< rising, without gaps
  std::vector<std::vector<double>> errors;      ///< [width][row], squared
  std::vector<const CandidateScore*> measured;  ///< [width]: the plain grid
  std::size_t rows() const { return errors.front().size(); }
};

using RowBits = std::vector<std::uint8_t>;

std::vector<double> row_errors(std::span<const float> weight, const Layer& layer, const Candidate& candidate) {
  std::vector<float> error = quant::stored_values(weight, layer, candidate);
  for (std::size_t i = 0; i < error.size(); ++i) error[i] -= weight[i];
  std::vector<double> errors;
  quant::add_squares(quant::Rows(quant::scale_layout(layer, candidate)), error, errors);
  return errors;
}

/// The longest run of widths without a gap.
RowErrors errors_of(std::span<const float> weight, const LayerSensitivity& layer) {
  RowErrors result;
  for (const CandidateScore& score : layer.candidates) {
    const Candidate& grid = score.candidate;
    if (grid.form != "grid" || grid.block != 0 || grid.has_row_widths()) continue;
    if (!result.widths.empty() && grid.bits != result.widths.back() + 1) break;
    result.widths.push_back(grid.bits);
    result.errors.push_back(row_errors(weight, layer.layer, grid));
    result.measured.push_back(&score);
  }
  return result;
}

/// How much every row's errors count: its share of the energies, drawn towards the layer's mean as far as the energies
/// are not to be trusted; their mean is 1.
std::vector<double> importances(const std::vector<double>& energies, std::size_t rows, double trust) {
  const double sum = std::accumulate(energies.begin(), energies.end(), 0.0);
  std::vector<double> result(rows, 1.0);
  if (energies.size() != rows || !(sum > 0)) return result;
  const double mean = sum / static_cast<double>(rows);
  for (std::size_t r = 0; r < rows; ++r) result[r] = 1 + trust * (energies[r] / mean - 1);
  return result;
}

/// Pearson's correlation; 0 where either does not vary.
double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size() || a.empty()) return 0;
  const auto count = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / count;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / count;
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

/// Share of the variance among rows that is no noise of the samples: how well two halves of them agree for either, by
/// Spearman and Brown for both together. A quarter of the mean stays in any case.
struct Trust {
  double half = 0, all = 0;
};
Trust trust_in(const std::array<std::vector<double>, 2>& halves) {
  constexpr double kMost = 0.75;
  const double agreement = std::max(0.0, correlation(halves[0], halves[1]));
  return {std::min(kMost, agreement), std::min(kMost, 2 * agreement / (1 + agreement))};
}

/// Widths from a window of them, at most `bits` in total, under which the rows err least: a bit more for the row it
/// helps most, again and again. Exact where every further bit helps a row less, as it does on grids.
RowBits widths_within(const RowErrors& rows, std::size_t first, std::size_t last, std::int64_t bits,
                      const std::vector<double>& importance) {
  struct Step {
    double gain = 0;
    std::size_t row = 0, width = 0;
    bool operator<(const Step& other) const {
      return gain != other.gain ? gain < other.gain : row > other.row;  // equal gains: the first row
    }
  };
  std::priority_queue<Step> steps;
  const auto offer = [&](std::size_t row, std::size_t width) {
    if (width == last) return;
    steps.push({importance[row] * (rows.errors[width][row] - rows.errors[width + 1][row]), row, width});
  };
  RowBits result(rows.rows(), static_cast<std::uint8_t>(rows.widths[first]));
  for (std::size_t r = 0; r < result.size(); ++r) offer(r, first);
  std::int64_t left = bits - rows.widths[first] * static_cast<std::int64_t>(result.size());
  for (; left > 0 && !steps.empty(); --left) {
    const Step step = steps.top();
    steps.pop();
    ++result[step.row];
    offer(step.row, step.width + 1);
  }
  return result;
}

double error_of(const RowErrors& rows, const RowBits& bits, const std::vector<double>& importance) {
  double sum = 0;
  for (std::size_t r = 0; r < bits.size(); ++r) {
    sum += importance[r] * rows.errors[static_cast<std::size_t>(bits[r] - rows.widths.front())][r];
  }
  return sum;
}

/// The best widths of the given mean, over all windows.
RowBits best_widths(const RowErrors& rows, double mean, const std::vector<double>& importance) {
  const auto bits = static_cast<std::int64_t>(mean * static_cast<double>(rows.rows()));
  RowBits best;
  double least = 0;
  for (std::size_t first = 0; first < rows.widths.size(); ++first) {
    const std::size_t last = std::min(first + kWindow, rows.widths.size()) - 1;
    if (rows.widths[first] > mean || rows.widths[last] < mean) continue;
    RowBits found = widths_within(rows, first, last, bits, importance);
    const double error = error_of(rows, found, importance);
    if (!best.empty() && error >= least) continue;
    least = error;
    best = std::move(found);
  }
  return best;
}

/// y at x on the line through neighbouring points, both in logarithms; the nearest end outside. `x` falls or rises.
double between(std::span<const double> xs, std::span<const double> ys, double x) {
  for (std::size_t i = 0; i + 1 < xs.size(); ++i) {
    const double low = std::min(xs[i], xs[i + 1]), high = std::max(xs[i], xs[i + 1]);
    if (x < low || x > high) continue;
    const bool no_line = low <= 0 || low == high || ys[i] <= 0 || ys[i + 1] <= 0;
    if (no_line) return std::max(ys[i], ys[i + 1]);
    const double part = std::log(x / xs[i]) / std::log(xs[i + 1] / xs[i]);
    return ys[i] * std::pow(ys[i + 1] / ys[i], part);
  }
  const bool front = std::fabs(x - xs.front()) < std::fabs(x - xs.back());
  return front ? ys.front() : ys.back();
}

/// One layer while its rows are priced.
class RowPricing {
 public:
  RowPricing(std::span<const float> weight, const LayerSensitivity& layer)
      : layer_(layer), rows_(errors_of(weight, layer)) {
    if (rows_.widths.size() < 2) return;
    std::vector<double> all = layer.row_energies[0];
    if (all.size() == layer.row_energies[1].size()) {
      for (std::size_t r = 0; r < all.size(); ++r) all[r] += layer.row_energies[1][r];
    }
    const Trust trust = trust_in(layer.row_energies);
    all_ = importances(all, rows_.rows(), trust.all);
    for (std::size_t half = 0; half < halves_.size(); ++half) {
      const auto& energies = layer.row_energies[half];
      halves_[half] = importances(energies.empty() ? all : energies, rows_.rows(), trust.half);
    }
    for (const CandidateScore* score : rows_.measured) {
      damages_.push_back(score->damage);
      bytes_.push_back(static_cast<double>(score->stored_bytes));
    }
  }

  std::vector<CandidateScore> candidates() const {
    constexpr double kStep = 0.5;
    std::vector<CandidateScore> result;
    if (rows_.widths.size() < 2) return result;
    for (double mean = rows_.widths.front() + kStep; mean < rows_.widths.back(); mean += kStep) {
      const RowBits bits = best_widths(rows_, mean, all_);
      if (std::equal(bits.begin() + 1, bits.end(), bits.begin())) continue;
      CandidateScore score = scored(bits, mean);
      const double plain = between(bytes_, damages_, static_cast<double>(score.stored_bytes));
      if (score.damage < kWorthwhile * plain) result.push_back(std::move(score));
    }
    return result;
  }

 private:
  /// What widths of this mean cost that the samples of one half chose, by the other half.
  double damage_across(double mean, std::size_t chooser) const {
    const std::vector<double>& judge = halves_[1 - chooser];
    std::vector<double> uniform;
    for (const std::vector<double>& errors : rows_.errors) {
      uniform.push_back(std::inner_product(errors.begin(), errors.end(), judge.begin(), 0.0));
    }
    const RowBits bits = best_widths(rows_, mean, halves_[chooser]);
    return between(uniform, damages_, error_of(rows_, bits, judge));
  }

  CandidateScore scored(const RowBits& bits, double mean) const {
    CandidateScore score;
    score.candidate = row_candidate(bits);
    score.stored_bytes = stored_bytes(layer_.layer, score.candidate);
    score.damage = std::sqrt(damage_across(mean, 0) * damage_across(mean, 1));
    const auto nearest = static_cast<std::size_t>(mean) - static_cast<std::size_t>(rows_.widths.front());
    const CandidateScore& grid = *rows_.measured[nearest];
    score.trials = grid.trials;
    score.standard_error = grid.damage > 0 ? grid.standard_error * score.damage / grid.damage : 0;
    return score;
  }

  const LayerSensitivity& layer_;
  RowErrors rows_;
  std::vector<double> all_;
  std::array<std::vector<double>, 2> halves_;
  std::vector<double> damages_, bytes_;  ///< of the plain grids
};

}  // namespace

void price_rows(const std::function<std::vector<float>(std::size_t)>& weight, std::int64_t opset,
                const AnalyzeOptions& options, Sensitivity& scores) {
  const bool wanted = std::find(options.forms.begin(), options.forms.end(), "rows") != options.forms.end();
  if (!wanted || options.scale_fit == "minmax") return;
  std::vector<std::vector<CandidateScore>> added(scores.layers.size());
  parallel_for(added.size(), resolve_threads(options.threads), [&](std::size_t i, int) {
    if (!encode::rows_may_differ(scores.layers[i].layer, opset)) return;
    added[i] = RowPricing(weight(i), scores.layers[i]).candidates();
  });
  for (std::size_t i = 0; i < added.size(); ++i) add_candidates(std::move(added[i]), scores.layers[i]);
}

}  // namespace mpq
