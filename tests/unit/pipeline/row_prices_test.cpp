#include "prices/row_prices.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>

#include "quantize/grid.h"
#include "support/random.h"

namespace mpq {
namespace {

constexpr std::size_t kRows = 16, kColumns = 64, kHeavy = 4;
constexpr std::int64_t kOpset = 17;

/// Columns of [inputs, outputs]; the first few are ten times the others.
std::vector<float> weight(std::size_t) {
  std::vector<float> weights(kRows * kColumns);
  fill_gaussian(Philox(7), weights);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] *= i % kRows < kHeavy ? 10.0F : 1.0F;
  return weights;
}

/// All columns alike.
std::vector<float> even_weight(std::size_t) {
  std::vector<float> column(kColumns), weights(kRows * kColumns);
  fill_gaussian(Philox(9), column);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = column[i / kRows];
  return weights;
}

Sensitivity analysis(const std::vector<int>& widths = {2, 3, 4, 5, 6}) {
  Sensitivity scores;
  LayerSensitivity& layer = scores.layers.emplace_back();
  layer.layer.name = "product";
  layer.layer.op = "MatMul";
  layer.layer.dtype = "float32";
  layer.layer.shape = {kColumns, kRows};
  layer.layer.parameters = kRows * kColumns;
  layer.layer.channel_axes = {1};
  for (const int bits : widths) {
    const Candidate candidate{bits, "grid", 0};
    const double damage = std::pow(4.0, -bits);
    layer.candidates.push_back({candidate, stored_bytes(layer.layer, candidate), 0, "", damage, damage / 10, 4});
  }
  layer.candidates.push_back({Candidate{}, stored_bytes(layer.layer, {}), 0, "", 0, 0, 4});
  return scores;
}

AnalyzeOptions with_rows() {
  AnalyzeOptions options;
  options.forms = {"grid", "rows"};
  return options;
}

std::vector<CandidateScore> row_candidates(const Sensitivity& scores) {
  std::vector<CandidateScore> result;
  for (const CandidateScore& score : scores.layers[0].candidates) {
    if (score.candidate.has_row_widths()) result.push_back(score);
  }
  return result;
}

/// Sum of squared errors of every row, weighted.
double error_of(const Candidate& candidate, const std::vector<double>& importance) {
  const std::vector<float> original = weight(0);
  const std::vector<float> stored = quant::stored_values(original, analysis().layers[0].layer, candidate);
  double sum = 0;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    sum += importance[i % kRows] * std::pow(double{stored[i]} - original[i], 2);
  }
  return sum;
}

/// The least error of all ways to give the rows widths from `low` on that take at most `bits`: dynamic programming over
/// rows and bits, an independent way to the same optimum.
double least_error(int low, int bits, const std::vector<double>& importance) {
  const std::vector<float> original = weight(0);
  const Layer layer = analysis().layers[0].layer;
  std::vector<std::vector<double>> errors;
  for (int width = low; width < low + 4; ++width) {
    const std::vector<float> stored = quant::stored_values(original, layer, {width, "grid", 0});
    auto& row = errors.emplace_back(kRows, 0.0);
    for (std::size_t i = 0; i < stored.size(); ++i) row[i % kRows] += std::pow(double{stored[i]} - original[i], 2);
  }
  std::vector<double> best(static_cast<std::size_t>(bits) + 1, 0.0);
  for (std::size_t r = 0; r < kRows; ++r) {
    std::vector<double> next(best.size(), HUGE_VAL);
    for (std::size_t used = 0; used < best.size(); ++used) {
      for (std::size_t w = 0; w < errors.size(); ++w) {
        const std::size_t total = used + static_cast<std::size_t>(low) + w;
        if (total < next.size()) next[total] = std::min(next[total], best[used] + importance[r] * errors[w][r]);
      }
    }
    best = next;
  }
  return *std::min_element(best.begin(), best.end());
}

TEST(RowPrices, WideRowsGoWhereTheErrorsAre) {
  Sensitivity scores = analysis();
  price_rows(weight, kOpset, with_rows(), scores);
  const std::vector<CandidateScore> rows = row_candidates(scores);
  ASSERT_FALSE(rows.empty());
  for (const CandidateScore& score : rows) {
    const auto& bits = score.candidate.row_bits;
    const int narrowest_heavy = *std::min_element(bits.begin(), bits.begin() + kHeavy);
    EXPECT_GE(narrowest_heavy, *std::max_element(bits.begin() + kHeavy, bits.end())) << to_string(score.candidate);
    EXPECT_EQ(score.stored_bytes, stored_bytes(scores.layers[0].layer, score.candidate));
  }
}

TEST(RowPrices, ChooseTheBestWidthsOfTheirMean) {
  Sensitivity scores = analysis();
  auto& energies = scores.layers[0].row_energies;
  for (std::size_t half = 0; half < 2; ++half) {
    for (std::size_t r = 0; r < kRows; ++r) energies[half].push_back(static_cast<double>(1 + r * r));
  }
  const double mean = std::accumulate(energies[0].begin(), energies[0].end(), 0.0) / kRows;
  std::vector<double> importance;
  for (const double energy : energies[0]) importance.push_back(0.25 + 0.75 * energy / mean);
  price_rows(weight, kOpset, with_rows(), scores);
  const std::vector<CandidateScore> rows = row_candidates(scores);
  ASSERT_FALSE(rows.empty());
  for (const CandidateScore& score : rows) {
    const auto& bits = score.candidate.row_bits;
    const int total = std::accumulate(bits.begin(), bits.end(), 0);
    double least = HUGE_VAL;
    for (int low = 2; low <= 3; ++low) least = std::min(least, least_error(low, total, importance));
    EXPECT_NEAR(error_of(score.candidate, importance), least, 1e-6 * least) << to_string(score.candidate);
  }
}

TEST(RowPrices, LieOnTheGridsCurve) {
  // Damage is 4^-bits and so, nearly, is the error: a plan that errs as little as a grid costs what the grid costs.
  Sensitivity scores = analysis();
  price_rows(weight, kOpset, with_rows(), scores);
  const std::vector<double> alike(kRows, 1.0);
  for (const CandidateScore& score : row_candidates(scores)) {
    const double error = error_of(score.candidate, alike);
    for (int bits = 2; bits < 6; ++bits) {
      if (error <= error_of({bits, "grid", 0}, alike)) {
        EXPECT_LE(score.damage, std::pow(4.0, -bits) * (1 + 1e-9)) << to_string(score.candidate);
      } else {
        EXPECT_GE(score.damage, std::pow(4.0, -bits) * (1 - 1e-9)) << to_string(score.candidate);
      }
    }
  }
}

TEST(RowPrices, AreJudgedByTheOtherSamples) {
  // Each half of the samples sees other rows that count: what one chooses, the other pays for.
  Sensitivity agreeing = analysis(), contradicting = analysis();
  for (std::size_t half = 0; half < 2; ++half) {
    for (std::size_t r = 0; r < kRows; ++r) {
      agreeing.layers[0].row_energies[half].push_back(r % 2 == 0 ? 1.0 : 1e-3);
      contradicting.layers[0].row_energies[half].push_back(r % 2 == half ? 1.0 : 1e-3);
    }
  }
  price_rows(even_weight, kOpset, with_rows(), agreeing);
  price_rows(even_weight, kOpset, with_rows(), contradicting);
  EXPECT_FALSE(row_candidates(agreeing).empty());
  EXPECT_TRUE(row_candidates(contradicting).empty());
}

TEST(RowPrices, NoneWhereRowsAreAlike) {
  Sensitivity scores = analysis();
  price_rows(even_weight, kOpset, with_rows(), scores);
  EXPECT_TRUE(row_candidates(scores).empty());
}

TEST(RowPrices, NoneWhereNobodyAsksOrNoFileHoldsThem) {
  Sensitivity scores = analysis();
  price_rows(weight, kOpset, AnalyzeOptions{}, scores);
  price_rows(weight, 10, with_rows(), scores);
  AnalyzeOptions baseline = with_rows();
  baseline.scale_fit = "minmax";
  price_rows(weight, kOpset, baseline, scores);
  scores.layers[0].layer.channel_axes.clear();
  price_rows(weight, kOpset, with_rows(), scores);
  EXPECT_TRUE(row_candidates(scores).empty());
}

TEST(RowPrices, StopAtAGapOfTheWidths) {
  Sensitivity scores = analysis({2, 3, 6});
  price_rows(weight, kOpset, with_rows(), scores);
  const std::vector<CandidateScore> rows = row_candidates(scores);
  ASSERT_FALSE(rows.empty());
  for (const CandidateScore& score : rows) EXPECT_LE(score.candidate.widest(), 3);
}

}  // namespace
}  // namespace mpq
