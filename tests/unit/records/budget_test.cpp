#include "mpq/budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

namespace mpq {
namespace {

void expect_budget(const std::string& text, Budget::Unit unit, double value) {
  const Budget budget = Budget::parse(text);
  EXPECT_EQ(budget.unit, unit) << text;
  EXPECT_DOUBLE_EQ(budget.value, value) << text;
}

TEST(BudgetParse, Bits) {
  expect_budget("6bit", Budget::Unit::kBitsPerWeight, 6);
  expect_budget("5.5bit", Budget::Unit::kBitsPerWeight, 5.5);
  expect_budget("6 bits", Budget::Unit::kBitsPerWeight, 6);
  expect_budget("4Bit", Budget::Unit::kBitsPerWeight, 4);
  expect_budget("16bit", Budget::Unit::kBitsPerWeight, 16);
  expect_budget(".5bit", Budget::Unit::kBitsPerWeight, 0.5);
}

TEST(BudgetParse, Bytes) {
  expect_budget("12MB", Budget::Unit::kBytes, 12e6);
  expect_budget("12MiB", Budget::Unit::kBytes, 12 * 1048576.0);
  expect_budget("900kB", Budget::Unit::kBytes, 900e3);
  expect_budget("900KB", Budget::Unit::kBytes, 900e3);
  expect_budget("12mb", Budget::Unit::kBytes, 12e6);
  expect_budget("1.5 GB", Budget::Unit::kBytes, 1.5e9);
  expect_budget("2GiB", Budget::Unit::kBytes, 2147483648.0);
  expect_budget("123456B", Budget::Unit::kBytes, 123456);
  expect_budget("123456 bytes", Budget::Unit::kBytes, 123456);
}

TEST(BudgetParse, Shares) {
  expect_budget("25%", Budget::Unit::kPercent, 25);
  expect_budget("12.5 %", Budget::Unit::kPercent, 12.5);
  expect_budget("100%", Budget::Unit::kPercent, 100);
  expect_budget("4x", Budget::Unit::kRatio, 4);
  expect_budget("3.5X", Budget::Unit::kRatio, 3.5);
}

TEST(BudgetParse, Times) {
  expect_budget("8ms", Budget::Unit::kSeconds, 8e-3);
  expect_budget("0.5 s", Budget::Unit::kSeconds, 0.5);
  expect_budget("500us", Budget::Unit::kSeconds, 500e-6);
  EXPECT_TRUE(Budget::parse("8ms").limits_time());
  EXPECT_FALSE(Budget::parse("8MB").limits_time());
}

TEST(BudgetParse, KeepsTheTextWithoutSpacesAroundIt) {
  EXPECT_EQ(Budget::parse(" 6 bits ").text, "6 bits");
  EXPECT_EQ(Budget::parse("12MiB").text, "12MiB");
}

struct Refusal {
  std::string text, why, cure;
};

class BudgetRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(BudgetRefusal, SaysWhyAndWhatCuresIt) {
  try {
    Budget::parse(GetParam().text);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_EQ(error.where(), "--budget");
    EXPECT_THAT(error.what(), testing::HasSubstr("\"" + GetParam().text + "\""));
    EXPECT_THAT(error.what(), testing::HasSubstr(GetParam().why));
    EXPECT_THAT(error.hint(), testing::HasSubstr(GetParam().cure));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, BudgetRefusal,
    testing::Values(Refusal{"", "empty", "6bit"}, Refusal{"   ", "empty", "6bit"}, Refusal{"-3bit", "negative", "6bit"},
                    Refusal{"0bit", "nothing can be stored in 0", "6bit"}, Refusal{"0%", "nothing", "25%"},
                    Refusal{"0x", "nothing", "4x"}, Refusal{"0x10bit", "is no unit", "6bit"},
                    Refusal{"nan", "does not start with a number", "6bit"}, Refusal{"nanbit", "number", "6bit"},
                    Refusal{"infMB", "number", "12MB"}, Refusal{"+6bit", "number", "6bit"},
                    Refusal{"6", "unit is missing", "6bit"}, Refusal{"6.", "unit is missing", "6bit"},
                    Refusal{".bit", "cannot be read", "6bit"}, Refusal{"17bit", "more than 16 bits", "at most 16bit"},
                    Refusal{"6b", "bits or bytes", "or B for bytes"}, Refusal{"12M", "no unit", "MB"},
                    Refusal{"12parsecs", "\"parsecs\" is no unit", "12MB"}, Refusal{"1e3bit", "no unit", "6bit"},
                    Refusal{"6,5bit", "no unit", "5.5bit"}, Refusal{"6bit 7bit", "no unit", "6bit"},
                    Refusal{"150%", "100 %", "100%"}, Refusal{"0.5x", "larger", "quarter"},
                    Refusal{"0.5B", "less than one byte", "900kB"}, Refusal{"99999999TB", "limit nothing", "12MB"},
                    Refusal{std::string(400, '9') + "bit", "cannot be read", "6bit"}));

}  // namespace
}  // namespace mpq
