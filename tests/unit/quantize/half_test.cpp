#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "quantize/grid.h"

namespace mpq::quant {
namespace {

/// Value of half bits by the definition of IEEE 754, section 3.4.
double defined_value(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const double fraction = (bits & 1023) / 1024.0;
  const double magnitude = exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(Half, EveryFiniteNumberHasItsDefinedValueAndComesBack) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    if (((half >> 10) & 31) == 31) continue;
    ASSERT_EQ(static_cast<double>(from_half(half)), defined_value(half)) << bits;
    ASSERT_EQ(to_half(from_half(half)), half) << bits;
  }
}

TEST(Half, RoundsToNearestEvenBetweenNeighbours) {
  // Between every two neighbouring halves: just below the middle, the middle, just above.
  for (std::uint16_t low = 0; low < 0x7bff; ++low) {
    const auto high = static_cast<std::uint16_t>(low + 1);
    const auto middle = static_cast<float>((defined_value(low) + defined_value(high)) / 2);
    const std::uint16_t even = (low & 1) == 0 ? low : high;
    ASSERT_EQ(to_half(middle), even) << low;
    ASSERT_EQ(to_half(std::nextafter(middle, 0.0F)), low) << low;
    ASSERT_EQ(to_half(std::nextafter(middle, 1e9F)), high) << low;
    ASSERT_EQ(to_half(-middle), even | 0x8000) << low;
  }
}

TEST(Half, SaturatesFiniteNumbersAndKeepsInfinityAndNan) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(to_half(65504.0F), 0x7bff);
  EXPECT_EQ(to_half(65519.996F), 0x7bff);
  EXPECT_EQ(to_half(65520.0F), 0x7bff);
  EXPECT_EQ(to_half(-1e30F), 0xfbff);
  EXPECT_EQ(to_half(infinity), 0x7c00);
  EXPECT_EQ(to_half(-infinity), 0xfc00);
  EXPECT_TRUE(std::isnan(from_half(to_half(std::nanf("")))));
  EXPECT_EQ(from_half(0x7c00), infinity);
}

TEST(Half, TinyNumbersBecomeSubnormalsOrZero) {
  EXPECT_EQ(to_half(0x1p-24F), 1);
  EXPECT_EQ(to_half(0x1p-25F), 0);  // a tie, and zero is even
  EXPECT_EQ(to_half(std::nextafter(0x1p-25F, 1.0F)), 1);
  EXPECT_EQ(to_half(1e-42F), 0);
  EXPECT_EQ(to_half(-0.0F), 0x8000);
}

}  // namespace
}  // namespace mpq::quant
