#include "report/numbers.h"

#include <gtest/gtest.h>

namespace mpq::report {
namespace {

TEST(Numbers, CountsStayWithinFiveCells) {
  EXPECT_EQ(short_count(0), "0");
  EXPECT_EQ(short_count(999), "999");
  EXPECT_EQ(short_count(1000), "1.0k");
  EXPECT_EQ(short_count(38'400), "38.4k");
  EXPECT_EQ(short_count(99'949), "99.9k");
  EXPECT_EQ(short_count(99'950), "100k");
  EXPECT_EQ(short_count(999'499), "999k");
  EXPECT_EQ(short_count(999'500), "1.0M");
  EXPECT_EQ(short_count(23'500'000), "23.5M");
  for (std::int64_t value = 1; value < 4'000'000'000'000'000; value = value * 3 / 2 + 1) {
    EXPECT_LE(short_count(value).size(), 5U) << value;
  }
}

TEST(Numbers, SharesTellNothingFromAlmostNothing) {
  EXPECT_EQ(percent(0), "0 %");
  EXPECT_EQ(percent(0.0004), "<0.1 %");
  EXPECT_EQ(percent(0.023), "2.3 %");
  EXPECT_EQ(percent(0.5), "50 %");
  EXPECT_EQ(percent(1), "100 %");
}

TEST(Numbers, DurationsChangeTheirUnit) {
  EXPECT_EQ(duration(0.0004), "0 ms");
  EXPECT_EQ(duration(0.84), "840 ms");
  EXPECT_EQ(duration(0.9999), "1.0 s");
  EXPECT_EQ(duration(12.34), "12.3 s");
  EXPECT_EQ(duration(250), "4 min 10 s");
  EXPECT_EQ(duration(7260), "2 h 1 min");
}

TEST(Numbers, NumbersKeepThreeDigits) {
  EXPECT_EQ(short_number(0.0123456), "0.0123");
  EXPECT_EQ(short_number(1.23456e-7), "1.23e-07");
  EXPECT_EQ(short_error(1.23456e-7), "1.2e-07");
}

TEST(Numbers, ShapesAndCounts) {
  EXPECT_EQ(shape_text({64, 3, 7, 7}), "64x3x7x7");
  EXPECT_EQ(shape_text({}), "scalar");
  EXPECT_EQ(counted(1, "sample"), "1 sample");
  EXPECT_EQ(counted(1200, "sample"), "1,200 samples");
}

}  // namespace
}  // namespace mpq::report
