#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "layers.h"
#include "quantize/grid.h"

namespace mpq::quant {
namespace {

using testing::ElementsAre;

const Candidate kHalf{16, "half", 0};
const Candidate kFloat{32, "float", 0};

TEST(StoredValues, FloatIsUntouched) {
  const std::vector<float> weight{0.1F, -1e30F, 1e-42F};
  EXPECT_EQ(stored_values(weight, test_layer({3}, {}), kFloat), weight);
}

TEST(StoredValues, HalfIsRoundedAndSaturated) {
  const std::vector<float> weight{0.1F, 1.0F, 70000.0F, -1e-9F};
  EXPECT_THAT(stored_values(weight, test_layer({4}, {}), kHalf), ElementsAre(0x1.998p-4F, 1.0F, 65504.0F, -0.0F));
}

TEST(StoredValues, GridIsTheDequantizedTensor) {
  const std::vector<float> weight{0.1F, -0.25F, 0.3F, 0.05F};
  const Layer layer = test_layer({2, 2}, {0});
  EXPECT_EQ(stored_values(weight, layer, grid(3)), dequantize(quantize_grid(weight, layer, grid(3))));
}

TEST(StoredValues, SixteenBitLayersGetTheirOwnTypeBack) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, 0.1F);
  std::vector<float> weight(64);
  for (float& w : weight) w = from_half(to_half(normal(random)));
  const std::vector<float> products = stored_values(weight, test_layer({4, 16}, {0}), grid(5));
  const std::vector<float> halves = stored_values(weight, test_layer({4, 16}, {0}, -1, "float16"), grid(5));
  const std::vector<float> brains = stored_values(weight, test_layer({4, 16}, {0}, -1, "bfloat16"), grid(5));
  bool differs = false;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    EXPECT_EQ(halves[i], from_half(to_half(products[i])));
    // bfloat16 keeps 8 significant bits
    int exponent = 0;
    const float fraction = std::frexp(products[i], &exponent);
    EXPECT_EQ(brains[i], std::ldexp(std::nearbyint(fraction * 256), exponent - 8));
    differs = differs || halves[i] != products[i];
  }
  EXPECT_TRUE(differs) << "the test should see rounding";
}

TEST(StoredValues, ProductIsFloatTimesFloatScale) {
  QuantizedTensor tensor{grid(4), {1, 3}, scale_layout(test_layer({1, 3}, {0}), grid(4)), {7, -8, 1}, {}, 0x1p-20F};
  tensor.scales = {to_half(1000.5F)};
  const float scale = 1000.5F * 0x1p-20F;
  EXPECT_THAT(dequantize(tensor), ElementsAre(7 * scale, -8 * scale, scale));
}

TEST(StoredValues, RefusesUnknownForms) {
  EXPECT_THROW(stored_values(std::vector<float>(2), test_layer({2}, {}), {4, "waffle", 0}), Error);
}

}  // namespace
}  // namespace mpq::quant
