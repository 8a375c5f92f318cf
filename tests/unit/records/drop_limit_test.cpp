#include "mpq/drop_limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "errors.h"

namespace mpq {
namespace {

using testing::HasSubstr;
using Unit = DropLimit::Unit;

OutputComparison output_of(double sqnr_db, std::optional<double> agreement) {
  OutputComparison output;
  output.sqnr_db = sqnr_db;
  output.top1_agreement = agreement;
  return output;
}

Verification measured(std::vector<OutputComparison> outputs, double damage = 0.25) {
  Verification value;
  value.outputs = std::move(outputs);
  value.damage = damage;
  return value;
}

TEST(DropLimit, UnderstandsSharesDecibelsAndDamages) {
  EXPECT_EQ(DropLimit::parse("0.5%").unit, Unit::kShare);
  EXPECT_DOUBLE_EQ(DropLimit::parse("0.5%").value, 0.005);
  EXPECT_EQ(DropLimit::parse("30dB").unit, Unit::kDecibels);
  EXPECT_DOUBLE_EQ(DropLimit::parse("30dB").value, 30);
  EXPECT_EQ(DropLimit::parse("0.01").unit, Unit::kDamage);
  EXPECT_DOUBLE_EQ(DropLimit::parse("0.01").value, 0.01);
  EXPECT_EQ(DropLimit::parse("0%").value, 0);
}

TEST(DropLimit, RefusesWhatCannotBeMeant) {
  for (const char* text : {"", "%", "-1%", "101%", "1 %x", "dB", "1e3dB", "nan", "inf%", "6bit", "-0.1"}) {
    EXPECT_THAT(usage_error([&] { DropLimit::parse(text); }), HasSubstr("is no limit of a loss")) << text;
  }
}

TEST(DropLimit, ReadsTheFigureItLimits) {
  Verification value = measured({output_of(31, 0.99), output_of(28, 0.97), output_of(40, std::nullopt)});
  EXPECT_DOUBLE_EQ(DropLimit::parse("30dB").found(value), 28);
  EXPECT_DOUBLE_EQ(DropLimit::parse("0.01").found(value), 0.25);
  EXPECT_NEAR(DropLimit::parse("1%").found(value), 0.03, 1e-12) << "the output that changes most";
  value.accuracy = AccuracyComparison{0.9, 0.95, 20, 1};
  EXPECT_NEAR(DropLimit::parse("1%").found(value), -0.05, 1e-12) << "labels go before agreement";
}

TEST(DropLimit, SharesNeedClasses) {
  EXPECT_THAT(usage_error([] { DropLimit::parse("1%").found(measured({output_of(30, std::nullopt)})); }),
              HasSubstr("No output of the model names classes"));
}

TEST(DropLimit, KeepsBothEndsOfItsOwn) {
  EXPECT_TRUE(DropLimit::parse("30dB").keeps(30));
  EXPECT_FALSE(DropLimit::parse("30dB").keeps(29.9));
  EXPECT_TRUE(DropLimit::parse("1%").keeps(0.01));
  EXPECT_TRUE(DropLimit::parse("1%").keeps(-0.2));
  EXPECT_FALSE(DropLimit::parse("1%").keeps(0.011));
  EXPECT_TRUE(DropLimit::parse("5%").keeps(1 - 0.95)) << "as counted, whatever the binary digits";
}

TEST(DropLimit, SpeaksInItsUnit) {
  EXPECT_EQ(DropLimit::parse("1%").format(0.0042), "0.42 %");
  EXPECT_EQ(DropLimit::parse("1dB").format(31.46), "31.5 dB");
  EXPECT_EQ(DropLimit::parse("0.1").format(0.01234), "0.01234");
}

}  // namespace
}  // namespace mpq
