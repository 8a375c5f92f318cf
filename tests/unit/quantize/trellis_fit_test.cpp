#include "quantize/trellis_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "mpq/error.h"

#include "layers.h"
#include "quantize/trellis.h"
#include "support/random.h"

namespace mpq::quant {
namespace {

constexpr std::int64_t kRows = 64, kColumns = 96;

Candidate trellis(int bits) { return {bits, "trellis", 0}; }

std::vector<float> gaussians(std::uint64_t key, bool heavy_tails) {
  std::vector<float> weights(static_cast<std::size_t>(kRows * kColumns));
  fill_gaussian(Philox(key, 0), weights);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float size = std::pow(10.0F, -static_cast<float>(i / kColumns % 4));
    weights[i] *= size * (heavy_tails ? std::fabs(weights[i]) : 1);
  }
  return weights;
}

double error(const std::vector<float>& weights, const QuantizedTensor& stored) {
  const std::vector<float> values = dequantize(stored);
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sum += std::pow(double{values[i]} - weights[i], 2);
  return sum;
}

/// Throws where the numbers lie on no path.
void follow(const QuantizedTensor& stored, const Layer& layer) {
  std::vector<std::uint8_t> entries;
  for (const std::uint32_t offset : trellis_order(layer)) {
    const auto found = std::find(stored.entries.begin(), stored.entries.end(), stored.values[offset]);
    ASSERT_NE(found, stored.entries.end());
    entries.push_back(static_cast<std::uint8_t>(found - stored.entries.begin()));
  }
  trellis_codes(entries);
}

TEST(QuantizeTrellis, ErrsByFarLessThanTheGridOfItsWidth) {
  const Layer layer = test_layer({kRows, kColumns}, {0});
  for (int bits = 2; bits <= 6; ++bits) {
    for (const bool heavy_tails : {false, true}) {
      const std::vector<float> weights = gaussians(2, heavy_tails);
      const QuantizedTensor stored = quantize_trellis(weights, layer, trellis(bits));
      EXPECT_EQ(stored.entries.size(), std::size_t{2} << bits);
      EXPECT_TRUE(std::ranges::is_sorted(stored.entries, std::less_equal<>()));
      EXPECT_EQ(stored.scales.size(), static_cast<std::size_t>(kRows));
      follow(stored, layer);
      // Rows of 96 weights find grids of 6 bits that suit them well.
      const double most = bits == 6 ? .85 : .72;
      EXPECT_LT(error(weights, stored), most * error(weights, quantize_grid(weights, layer, grid(bits))))
          << bits << heavy_tails;
    }
  }
}

TEST(QuantizeTrellis, RowsOfZerosStayNextToNothing) {
  const Layer layer = test_layer({3, 64}, {0});
  std::vector<float> weights(3 * 64, 0.0F);
  for (std::size_t i = 64; i < 128; ++i) weights[i] = i % 2 == 0 ? 1.0F : -1.0F;
  const std::vector<float> values = dequantize(quantize_trellis(weights, layer, trellis(2)));
  for (const std::size_t i : {0, 63, 128, 191}) EXPECT_LT(std::fabs(values[i]), 1e-5F);
  for (const float value : dequantize(quantize_trellis(std::vector<float>(3 * 64, 0.0F), layer, trellis(3)))) {
    EXPECT_EQ(value, 0);
  }
}

TEST(QuantizeTrellis, NoProductReachesInfinityInHalf) {
  const Layer layer = test_layer({1, 64}, {0}, -1, "float16");
  std::vector<float> weights(64);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = i % 3 == 0 ? 65504.0F : -60000.0F + 100.0F * float(i);
  for (const int bits : {2, 6}) {
    const QuantizedTensor stored = quantize_trellis(weights, layer, trellis(bits));
    for (const float value : dequantize(stored)) EXPECT_LE(std::fabs(value), largest_product("float16"));
    follow(stored, layer);
  }
}

TEST(QuantizeTrellis, ExtremeSizesDoNotOverflow) {
  const Layer layer = test_layer({2, 32}, {0});
  for (const float size : {1e-38F, 1e38F}) {
    std::vector<float> weights(64);
    fill_gaussian(Philox(5, 0), weights);
    for (float& weight : weights) weight = std::clamp(weight, -3.0F, 3.0F) * size;
    for (const float value : dequantize(quantize_trellis(weights, layer, trellis(4)))) {
      EXPECT_TRUE(std::isfinite(value));
      EXPECT_LE(std::fabs(value), 4 * size);
    }
  }
}

TEST(QuantizeTrellis, WeightsThatAreNoNumbersAreRefused) {
  const Layer layer = test_layer({2, 8}, {0});
  std::vector<float> weights(16, 1.0F);
  weights[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(quantize_trellis(weights, layer, trellis(3)), Error);
}

TEST(QuantizeTrellis, ASingleWeightIsStoredToo) {
  const Layer layer = test_layer({1, 1}, {0});
  const std::vector<float> values = dequantize(quantize_trellis(std::vector<float>{.7F}, layer, trellis(2)));
  EXPECT_NEAR(values.at(0), .7F, .01F);
}

}  // namespace
}  // namespace mpq::quant
