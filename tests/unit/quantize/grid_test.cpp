#include "quantize/grid.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "layers.h"

namespace mpq::quant {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<float> gaussian(std::size_t count, unsigned seed, float deviation = 0.05F) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

float scale_of(const QuantizedTensor& tensor, std::size_t row) {
  return from_half(tensor.scales[row]) * tensor.scale_multiplier;
}

TEST(QuantizeGrid, MinMaxIsPlainRoundToNearest) {
  // No weight lies half way between two levels: there the stored scale would decide.
  const std::vector<float> weight{0.7F,  -0.16F, 0.33F, -0.7F,  //
                                  1.75F, 0.0F,   -0.5F, 0.25F};
  const QuantizedTensor got = quantize_grid(weight, test_layer({2, 4}, {0}), grid(4), ScaleFit::kMinMax);
  // scales 0.7 / 7 and 1.75 / 7, the first rounded to half precision
  EXPECT_NEAR(scale_of(got, 0), 0.1F, 0.1F / 2048);
  EXPECT_EQ(scale_of(got, 1), 0.25F);
  EXPECT_THAT(got.values, ElementsAre(7, -2, 3, -7, 7, 0, -2, 1));
}

TEST(QuantizeGrid, ScalesFollowTheChannelAxis) {
  const std::vector<float> weight{0.1F,  10.0F, -0.2F,
                                  20.0F, 0.4F,  -40.0F};  // [3, 2], one channel a hundred times the other
  const QuantizedTensor got = quantize_grid(weight, test_layer({3, 2}, {1}), grid(8), ScaleFit::kMinMax);
  ASSERT_EQ(got.scales.size(), 2U);
  EXPECT_NEAR(scale_of(got, 1) / scale_of(got, 0), 100, 0.1);
  EXPECT_THAT(got.values, ElementsAre(32, 32, -64, 64, 127, -127));
}

TEST(QuantizeGrid, LargestScaleSitsHighInHalfsRange) {
  for (const float size : {1e-30F, 1e-6F, 1.0F, 1e6F, 1e30F}) {
    std::vector<float> weight = gaussian(64, 1);
    for (float& w : weight) w *= size;
    const QuantizedTensor got = quantize_grid(weight, test_layer({4, 16}, {0}), grid(4));
    float largest = 0;
    for (const std::uint16_t scale : got.scales) largest = std::max(largest, std::fabs(from_half(scale)));
    EXPECT_GE(largest, 16384) << size;
    EXPECT_LE(largest, 32768) << size;
    int exponent = 0;
    EXPECT_EQ(std::frexp(got.scale_multiplier, &exponent), 0.5F) << "the multiplier is a power of two";
  }
}

TEST(QuantizeGrid, SmallRowsBesideLargeOnesKeepTheirPrecision) {
  std::vector<float> weight = gaussian(64, 2, 1.0F);
  for (std::size_t i = 32; i < 64; ++i) weight[i] *= 1e-7F;
  const std::vector<float> restored = dequantize(quantize_grid(weight, test_layer({2, 32}, {0}), grid(8)));
  double error = 0;
  double energy = 0;
  for (std::size_t i = 32; i < 64; ++i) {
    error += std::pow(static_cast<double>(weight[i] - restored[i]), 2);
    energy += std::pow(static_cast<double>(weight[i]), 2);
  }
  EXPECT_LT(error, 1e-4 * energy);
}

TEST(QuantizeGrid, ZerosStayZeroAndTakeAnOrdinaryScale) {
  std::vector<float> weight = gaussian(32, 3);
  std::fill(weight.begin() + 16, weight.end(), 0.0F);
  const QuantizedTensor got = quantize_grid(weight, test_layer({2, 16}, {0}), grid(4));
  EXPECT_EQ(std::fabs(scale_of(got, 1)), std::fabs(scale_of(got, 0)));
  const std::vector<float> restored = dequantize(got);
  for (std::size_t i = 16; i < 32; ++i) EXPECT_EQ(restored[i], 0);

  const QuantizedTensor nothing = quantize_grid(std::vector<float>(8), test_layer({2, 4}, {0}), grid(4));
  EXPECT_THAT(nothing.values, Each(0));
  EXPECT_EQ(scale_of(nothing, 0), 0x1p-14F);
}

TEST(QuantizeGrid, SingleWeightsAndEqualRowsAreKeptToHalfPrecision) {
  for (const ScaleFit fit : {ScaleFit::kMse, ScaleFit::kMinMax}) {
    for (const int bits : {2, 3, 8}) {
      const std::vector<float> weight{0.3F, -0.7F, 1e-4F};
      const std::vector<float> single = dequantize(quantize_grid(weight, test_layer({3, 1}, {0}), grid(bits), fit));
      for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(single[i], weight[i], std::fabs(weight[i]) / 2000) << bits;
      const std::vector<float> equal(40, -0.37F);
      for (const float w : dequantize(quantize_grid(equal, test_layer({1, 40}, {0}), grid(bits), fit))) {
        EXPECT_NEAR(w, -0.37F, 0.37F / 2000) << bits;
      }
    }
  }
}

TEST(QuantizeGrid, ExtremeMagnitudesSurvive) {
  const float most = std::numeric_limits<float>::max();
  const float least = std::numeric_limits<float>::denorm_min();
  for (const ScaleFit fit : {ScaleFit::kMse, ScaleFit::kMinMax}) {
    for (const int bits : {2, 5, 8}) {
      for (const float size : {most, 1e30F, 1e-37F, 64 * least, least}) {
        const std::vector<float> weight{size, -size, size / 2, 0};
        const std::vector<float> restored = dequantize(quantize_grid(weight, test_layer({1, 4}, {0}), grid(bits), fit));
        for (std::size_t i = 0; i < 4; ++i) {
          ASSERT_TRUE(std::isfinite(restored[i])) << size << " at " << bits;
          EXPECT_LE(std::fabs(static_cast<double>(restored[i]) - static_cast<double>(weight[i])),
                    static_cast<double>(size))
              << size << " at " << bits;
        }
      }
    }
  }
}

TEST(QuantizeGrid, ProductsStayFiniteInTheLayersOwnType) {
  const std::vector<float> weight{65504, -65504, 60000, 12345, -1, 30000, 40000, -50000};
  for (const int bits : {2, 3, 4, 5, 6, 7, 8}) {
    const Layer layer = test_layer({1, 8}, {0}, -1, "float16");
    for (const ScaleFit fit : {ScaleFit::kMse, ScaleFit::kMinMax}) {
      for (const float w : stored_values(weight, layer, grid(bits), fit)) EXPECT_TRUE(std::isfinite(w)) << bits;
    }
  }
}

TEST(QuantizeGrid, RefusesNumbersThatAreNone) {
  std::vector<float> weight(8, 0.5F);
  weight[5] = std::nanf("");
  try {
    quantize_grid(weight, test_layer({2, 4}, {0}), grid(4));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(error.where(), "layer");
    EXPECT_THAT(error.what(), HasSubstr("NaN at element 5"));
  }
  weight[5] = std::numeric_limits<float>::infinity();
  EXPECT_THROW(quantize_grid(weight, test_layer({2, 4}, {0}), grid(4)), Error);
  EXPECT_THROW(quantize_grid(std::vector<float>(7), test_layer({2, 4}, {0}), grid(4)), Error);
}

TEST(QuantizeGrid, SameAtAnyThreadCount) {
  const std::vector<float> weight = gaussian(600 * 96, 4);
  const Layer layer = test_layer({96, 600}, {1}, 0);
  for (const Candidate& candidate : {grid(3), grid(6), grid(4, 32)}) {
    const QuantizedTensor one = quantize_grid(weight, layer, candidate, ScaleFit::kMse, 1);
    for (const int threads : {2, 5}) {
      const QuantizedTensor many = quantize_grid(weight, layer, candidate, ScaleFit::kMse, threads);
      EXPECT_EQ(many.values, one.values);
      EXPECT_EQ(many.scales, one.scales);
      EXPECT_EQ(many.scale_multiplier, one.scale_multiplier);
    }
  }
}

TEST(QuantizeGrid, EmptyTensors) {
  const QuantizedTensor got = quantize_grid({}, test_layer({3, 0}, {0}), grid(4));
  EXPECT_TRUE(got.values.empty());
  EXPECT_EQ(got.scales.size(), 3U);
}

}  // namespace
}  // namespace mpq::quant
