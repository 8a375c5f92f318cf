#include "analyze/noise.h"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "mpq/error.h"

#include "support/random.h"

namespace mpq::perturb {
namespace {

/// A MatMul weight [64, 6]: channels are columns; column c is c+1 times as large as the first.
Layer layer() {
  Layer result;
  result.name = "layer";
  result.op = "MatMul";
  result.dtype = "float32";
  result.shape = {64, 6};
  result.parameters = 64 * 6;
  result.channel_axes = {1};
  result.block_axis = 0;
  return result;
}

std::vector<float> weight() {
  std::vector<float> values(64 * 6);
  fill_gaussian(Philox(5), values);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] *= static_cast<float>(i % 6 + 1);
  return values;
}

double mean_square_error(const std::vector<float>& a, const std::vector<float>& b, std::size_t column) {
  double sum = 0;
  for (std::size_t row = 0; row < 64; ++row)
    sum += std::pow(double{a[row * 6 + column]} - double{b[row * 6 + column]}, 2);
  return sum / 64;
}

TEST(Amplitude, OfUnitVarianceLawsIsTheChannelsRoundingError) {
  const Candidate candidate{3, "grid", 0};
  const auto w = weight();
  const auto stored = quant::stored_values(w, layer(), candidate);
  for (const Law law : {Law::kGaussian, Law::kRademacher}) {
    const Amplitude amplitude = amplitude_of(law, w, layer(), candidate, quant::ScaleFit::kMse);
    ASSERT_EQ(amplitude.per_group.size(), 6U);
    for (std::size_t c = 0; c < 6; ++c) {
      EXPECT_NEAR(amplitude.per_group[c], std::sqrt(mean_square_error(w, stored, c)), 1e-6);
    }
  }
}

TEST(Amplitude, OfTheUniformLawIsHalfAStep) {
  const Candidate candidate{4, "grid", 0};
  const auto w = weight();
  const Amplitude amplitude = amplitude_of(Law::kUniform, w, layer(), candidate, quant::ScaleFit::kMinMax);
  for (std::size_t c = 0; c < 6; ++c) {
    float largest = 0;
    for (std::size_t row = 0; row < 64; ++row) largest = std::max(largest, std::fabs(w[row * 6 + c]));
    EXPECT_NEAR(amplitude.per_group[c], largest / 7 / 2, 1e-3 * largest) << "the scale is stored as a half float";
  }
}

TEST(Amplitude, FollowsBlocks) {
  const Amplitude amplitude = amplitude_of(Law::kGaussian, weight(), layer(), {4, "grid", 32}, quant::ScaleFit::kMse);
  EXPECT_EQ(amplitude.per_group.size(), 12U);
}

TEST(Amplitude, OfHalfFloatsIsTiny) {
  const Amplitude amplitude = amplitude_of(Law::kGaussian, weight(), layer(), {16, "half", 0}, quant::ScaleFit::kMse);
  ASSERT_EQ(amplitude.per_group.size(), 6U);
  for (const float a : amplitude.per_group) {
    EXPECT_GT(a, 0);
    EXPECT_LT(a, 6 * 2e-3);
  }
}

TEST(AddNoise, ScalesEachChannelByItsOwnAmplitude) {
  Amplitude amplitude{quant::scale_layout(layer(), {4, "grid", 0}), {1, 2, 3, 4, 5, 6}};
  const std::vector<float> zero(64 * 6, 0.0F), ones(64 * 6, 1.0F);
  std::vector<float> out(64 * 6);
  add_noise(zero, ones, amplitude, -1, out);
  for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i], -static_cast<float>(i % 6 + 1));
}

TEST(AddNoise, AntitheticPartnersAreMirrorImages) {
  const auto w = weight();
  const Amplitude amplitude = amplitude_of(Law::kGaussian, w, layer(), {4, "grid", 0}, quant::ScaleFit::kMse);
  const auto noise = draw_noise(Law::kGaussian, 1, "layer", 0, w.size());
  std::vector<float> plus(w.size()), minus(w.size());
  add_noise(w, noise, amplitude, 1, plus);
  add_noise(w, noise, amplitude, -1, minus);
  for (std::size_t i = 0; i < w.size(); ++i) EXPECT_NEAR((plus[i] + minus[i]) / 2, w[i], 1e-6);
}

TEST(DrawNoise, IsKeyedBySeedLayerAndTrial) {
  const auto base = draw_noise(Law::kGaussian, 1, "a", 0, 100);
  EXPECT_EQ(base, draw_noise(Law::kGaussian, 1, "a", 0, 100));
  EXPECT_NE(base, draw_noise(Law::kGaussian, 2, "a", 0, 100));
  EXPECT_NE(base, draw_noise(Law::kGaussian, 1, "b", 0, 100));
  EXPECT_NE(base, draw_noise(Law::kGaussian, 1, "a", 1, 100));
}

TEST(DrawNoise, HasTheLawsVariance) {
  const std::map<Law, double> variances = {{Law::kGaussian, 1.0}, {Law::kRademacher, 1.0}, {Law::kUniform, 1.0 / 3}};
  for (const auto& [law, variance] : variances) {
    const auto noise = draw_noise(law, 3, "a", 0, 40000);
    double sum = 0, squares = 0;
    for (const float z : noise) sum += z, squares += double{z} * z;
    EXPECT_NEAR(sum / 40000, 0, 4 * std::sqrt(variance / 40000));
    EXPECT_NEAR(squares / 40000, variance, 4 * variance * std::sqrt(2.0 / 40000) + 1e-12);
  }
}

TEST(ParseLaw, RefusesUnknownNames) {
  EXPECT_EQ(parse_law("uniform"), Law::kUniform);
  EXPECT_THROW(parse_law("pink"), Error);
}

}  // namespace
}  // namespace mpq::perturb
