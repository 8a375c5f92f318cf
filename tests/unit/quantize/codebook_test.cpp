#include "quantize/codebook.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "mpq/error.h"

#include "layers.h"
#include "quantize/rows.h"
#include "support/random.h"

namespace mpq::quant {
namespace {

constexpr std::int64_t kRows = 24, kColumns = 96;

Candidate book(int bits) { return {bits, "codebook", 0}; }

/// Laplace-like rows of very different size: what a grid serves badly.
std::vector<float> heavy_tails(std::uint64_t key) {
  std::vector<float> weights(static_cast<std::size_t>(kRows * kColumns));
  fill_gaussian(Philox(key, 0), weights);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float size = std::pow(10.0F, -static_cast<float>(i / kColumns % 4));
    weights[i] *= std::fabs(weights[i]) * size;
  }
  return weights;
}

double error(const std::vector<float>& weights, const QuantizedTensor& stored,
             const std::vector<float>& importances = {}) {
  const std::vector<float> values = dequantize(stored);
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double e = double{values[i]} - weights[i];
    sum += (importances.empty() ? 1.0 : importances[i]) * e * e;
  }
  return sum;
}

TEST(Codebook, EveryWeightIsTheNearestEntryTimesItsRowsScale) {
  const Layer layer = test_layer({kRows, kColumns}, {0});
  const std::vector<float> weights = heavy_tails(1);
  const QuantizedTensor stored = quantize_codebook(weights, layer, book(3));
  ASSERT_EQ(stored.codebook.size(), 8U);
  EXPECT_TRUE(std::is_sorted(stored.codebook.begin(), stored.codebook.end(), std::less_equal<>()));
  ASSERT_EQ(stored.scales.size(), static_cast<std::size_t>(kRows));
  const std::vector<float> values = dequantize(stored);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float scale = from_half(stored.scales[i / kColumns]) * stored.scale_multiplier;
    float least = std::fabs(weights[i] - static_cast<float>(stored.codebook[0]) * scale);
    for (const std::int8_t entry : stored.codebook) {
      least = std::min(least, std::fabs(weights[i] - static_cast<float>(entry) * scale));
    }
    EXPECT_NEAR(std::fabs(values[i] - weights[i]), least, 1e-5F * std::fabs(scale));
  }
}

TEST(Codebook, ErrsLessThanTheGridOfItsWidthOnHeavyTails) {
  const Layer layer = test_layer({kRows, kColumns}, {0});
  for (int bits = 2; bits <= 6; ++bits) {
    const std::vector<float> weights = heavy_tails(2);
    const double plain = error(weights, quantize_grid(weights, layer, grid(bits)));
    const double most = bits == 2 ? 0.9 : 0.75;
    EXPECT_LT(error(weights, quantize_codebook(weights, layer, book(bits))), most * plain) << bits;
  }
}

TEST(Codebook, ImportancesMoveEntriesWhereTheyCount) {
  const Layer layer = test_layer({kRows, kColumns}, {0});
  const std::vector<float> weights = heavy_tails(3);
  std::vector<float> importances(weights.size());
  for (std::size_t i = 0; i < importances.size(); ++i) importances[i] = i % kColumns < 8 ? 50.0F : 0.1F;
  const double plain = error(weights, quantize_codebook(weights, layer, book(3)), importances);
  EXPECT_LT(error(weights, quantize_codebook(weights, layer, book(3), importances), importances), 0.7 * plain);
}

TEST(Codebook, WeightsThatAreEntriesComeBackExactly) {
  const Layer layer = test_layer({4, 64}, {0});
  std::vector<float> weights(4 * 64);
  const float levels[] = {-2.0F, -0.5F, 0.25F, 1.5F};
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = levels[(i * 7 + i / 64) % 4];
  EXPECT_LT(error(weights, quantize_codebook(weights, layer, book(2))), 1e-3 * 256);
}

TEST(Codebook, AGridIsACodebookToo) {
  const Layer layer = test_layer({kRows, kColumns}, {0});
  const std::vector<float> weights = heavy_tails(4);
  const QuantizedTensor plain = quantize_grid(weights, layer, grid(4));
  const QuantizedTensor stored = codebook_of_grid(weights, layer, book(4), ScaleFit::kMse);
  EXPECT_EQ(dequantize(stored), dequantize(plain));
  EXPECT_EQ(stored.codebook.front(), -8);
  EXPECT_EQ(stored.codebook.back(), 7);
}

TEST(Codebook, RowsOfZerosStayNextToNothing) {
  const Layer layer = test_layer({3, 64}, {0});
  std::vector<float> weights(3 * 64, 0.0F);
  for (std::size_t i = 64; i < 128; ++i) weights[i] = i % 2 == 0 ? 1.0F : -1.0F;
  const std::vector<float> values = dequantize(quantize_codebook(weights, layer, book(2)));
  for (const std::size_t i : {0, 63, 128, 191}) EXPECT_LT(std::fabs(values[i]), 1e-5F);
  for (const float value : dequantize(quantize_codebook(std::vector<float>(3 * 64, 0.0F), layer, book(3)))) {
    EXPECT_EQ(value, 0);
  }
}

TEST(Codebook, NoProductReachesInfinityInHalf) {
  const Layer layer = test_layer({1, 64}, {0}, -1, "float16");
  std::vector<float> weights(64);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = i % 3 == 0 ? 65504.0F : -60000.0F + 100.0F * float(i);
  for (const float value : dequantize(quantize_codebook(weights, layer, book(2)))) {
    EXPECT_LE(std::fabs(value), largest_product("float16"));
  }
}

TEST(Codebook, ExtremeSizesDoNotOverflow) {
  const Layer layer = test_layer({2, 32}, {0});
  for (const float size : {1e-38F, 3e38F}) {
    std::vector<float> weights(64);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = size * ((static_cast<float>(i % 5) - 2) / 2);
    const QuantizedTensor stored = quantize_codebook(weights, layer, book(3));
    const std::vector<float> values = dequantize(stored);
    for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(values[i] / size, weights[i] / size, 0.02);
  }
}

TEST(Codebook, RefusesWeightsThatAreNoNumbers) {
  const Layer layer = test_layer({1, 8}, {0});
  std::vector<float> weights(8, 1);
  weights[3] = std::nanf("");
  EXPECT_THROW(quantize_codebook(weights, layer, book(3)), Error);
}

TEST(Codebook, StoredBytesCountItsEntries) {
  const Layer layer = test_layer({kRows, kColumns}, {0});
  EXPECT_EQ(stored_bytes(layer, book(3)), stored_bytes(layer, grid(3)) + 8);
  EXPECT_EQ(stored_bytes(layer, book(6)), stored_bytes(layer, grid(6)) + 64);
}

}  // namespace
}  // namespace mpq::quant
