#include "support/random.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace mpq {
namespace {

using Block = std::array<std::uint32_t, 4>;

// Known-answer vectors of philox4x32 with 10 rounds, published with the paper's reference implementation.
TEST(PhiloxTest, GivesThePublishedVectors) {
  EXPECT_EQ(Philox(0, 0).block(0), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox(~0ull, ~0ull).block(~0ull), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  // Digits of pi.
  EXPECT_EQ(Philox(0x299f31d0a4093822, 0x0370734413198a2e).block(0x85a308d3243f6a88),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(PhiloxTest, StreamsAndKeysAreIndependentOfOrder) {
  const Philox a(7, 1), b(7, 2), c(8, 1);
  EXPECT_EQ(a.block(5), Philox(7, 1).block(5));
  EXPECT_NE(a.block(5), b.block(5));
  EXPECT_NE(a.block(5), c.block(5));
}

TEST(MixKey, SeparatesSeedsPartsAndOrders) {
  std::set<std::uint64_t> keys;
  for (const std::uint64_t seed : {0u, 1u, 2u}) {
    keys.insert(mix_key(seed, "conv1"));
    keys.insert(mix_key(seed, "conv2"));
    keys.insert(mix_key(seed, ""));
    keys.insert(mix_key(seed, std::uint64_t{0}));
    keys.insert(mix_key(seed, std::uint64_t{1}));
    keys.insert(mix_key(mix_key(seed, "a"), "b"));
    keys.insert(mix_key(mix_key(seed, "b"), "a"));
    keys.insert(mix_key(seed, "ab"));
  }
  EXPECT_EQ(keys.size(), 24u);
}

TEST(MixKey, IsStable) {
  // Part of the promise that a seed gives the same noise with every build: this value must never change.
  EXPECT_EQ(mix_key(0, std::uint64_t{0}), 0xa706dd2f4d197e6fu);
}

struct Moments {
  double mean = 0, variance = 0, third = 0, fourth = 0;
};

Moments moments(const std::vector<float>& values) {
  Moments m;
  const auto n = static_cast<double>(values.size());
  for (const float v : values) m.mean += static_cast<double>(v) / n;
  for (const float v : values) {
    const double d = static_cast<double>(v) - m.mean;
    m.variance += d * d / n;
    m.third += d * d * d / n;
    m.fourth += d * d * d * d / n;
  }
  return m;
}

constexpr std::size_t kMany = 1 << 20;

// The tolerances below are about five standard errors of each moment.
TEST(FillGaussian, HasTheMomentsOfTheStandardNormal) {
  std::vector<float> values(kMany);
  fill_gaussian(Philox(42, 3), values);
  const Moments m = moments(values);
  EXPECT_NEAR(m.mean, 0, 0.005);
  EXPECT_NEAR(m.variance, 1, 0.007);
  EXPECT_NEAR(m.third, 0, 0.02);
  EXPECT_NEAR(m.fourth, 3, 0.05);
}

TEST(FillGaussian, FollowsTheNormalDistributionFunction) {
  std::vector<float> values(kMany);
  fill_gaussian(Philox(5, 9), values);
  for (const double x : {-3.0, -2.0, -1.0, -0.1, 0.0, 0.5, 1.5, 3.0}) {
    const auto below =
        std::count_if(values.begin(), values.end(), [&](float v) { return static_cast<double>(v) <= x; });
    const double expected = 0.5 * std::erfc(-x / std::sqrt(2.0));
    EXPECT_NEAR(static_cast<double>(below) / static_cast<double>(kMany), expected, 0.0025) << x;
  }
}

TEST(FillUniform, IsUniformOnTheHalfOpenInterval) {
  std::vector<float> values(kMany);
  fill_uniform(Philox(1, 1), values);
  const Moments m = moments(values);
  EXPECT_NEAR(m.mean, 0, 0.003);
  EXPECT_NEAR(m.variance, 1.0 / 3, 0.002);
  for (const float v : values) ASSERT_TRUE(v >= -1.0F && v < 1.0F);
}

TEST(FillRademacher, IsABalancedSign) {
  std::vector<float> values(kMany);
  fill_rademacher(Philox(1, 2), values);
  double sum = 0;
  for (const float v : values) {
    ASSERT_TRUE(v == 1.0F || v == -1.0F);
    sum += static_cast<double>(v);
  }
  EXPECT_NEAR(sum / static_cast<double>(kMany), 0, 0.005);
  // Neighbours are uncorrelated, also across words and blocks.
  for (const std::size_t lag : {1u, 32u, 128u}) {
    double product = 0;
    for (std::size_t i = lag; i < values.size(); ++i) product += static_cast<double>(values[i] * values[i - lag]);
    EXPECT_NEAR(product / static_cast<double>(kMany), 0, 0.005) << lag;
  }
}

TEST(Fill, ALongerFillStartsWithTheShorterOne) {
  for (const std::size_t n : {1u, 3u, 4u, 5u, 127u, 129u}) {
    std::vector<float> brief(n), longer(n + 300);
    fill_gaussian(Philox(3, 4), brief);
    fill_gaussian(Philox(3, 4), longer);
    EXPECT_TRUE(std::equal(brief.begin(), brief.end(), longer.begin())) << n;
    fill_rademacher(Philox(3, 4), brief);
    fill_rademacher(Philox(3, 4), longer);
    EXPECT_TRUE(std::equal(brief.begin(), brief.end(), longer.begin())) << n;
  }
}

}  // namespace
}  // namespace mpq
