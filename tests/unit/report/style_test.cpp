#include "report/style.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace mpq::report {
namespace {

const Style kPlainStyle(false, false, 80);
const Style kColorStyle(true, true, 80);

TEST(Style, PaintsOnlyWithColours) {
  EXPECT_EQ(kPlainStyle.paint(Tone::kBad, "x"), "x");
  EXPECT_EQ(kColorStyle.paint(Tone::kBad, "x"), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(kColorStyle.paint(Tone::kPlain, "x"), "x");
  EXPECT_EQ(kColorStyle.paint(Tone::kBad, ""), "") << "no codes around nothing";
}

TEST(Style, BarsGrowInEighthsOfACell) {
  EXPECT_EQ(kColorStyle.bar(0, 4), "");
  EXPECT_EQ(kColorStyle.bar(1, 4), "████");
  EXPECT_EQ(kColorStyle.bar(0.5, 4), "██");
  EXPECT_EQ(kColorStyle.bar(1.0 / 32, 4), "▏");
  EXPECT_EQ(kColorStyle.bar(31.0 / 32, 4), "███▉");
}

TEST(Style, AsciiBarsRoundToWholeCells) {
  EXPECT_EQ(kPlainStyle.bar(0.5, 4), "##");
  EXPECT_EQ(kPlainStyle.bar(0.6, 4), "##");
  EXPECT_EQ(kPlainStyle.bar(0.65, 4), "###");
}

TEST(Style, BarsOfStrangeNumbersStayInside) {
  EXPECT_EQ(kPlainStyle.bar(7, 4), "####");
  EXPECT_EQ(kPlainStyle.bar(-1, 4), "");
  EXPECT_EQ(kPlainStyle.bar(std::numeric_limits<double>::quiet_NaN(), 4), "");
}

TEST(Style, RulesFillTheWidth) {
  EXPECT_EQ(kPlainStyle.rule(), std::string(80, '-'));
  EXPECT_EQ(display_width(Style(false, true, 80).rule()), 80U);
}

TEST(Wrap, BreaksAtSpacesAndIndentsLaterLines) {
  EXPECT_EQ(wrap("one two three", 2, 9), "one two\n  three");
  EXPECT_EQ(wrap("one", 2, 9), "one");
  EXPECT_EQ(wrap("", 2, 9), "");
}

TEST(Wrap, LeavesAWordThatIsTooLongWhole) { EXPECT_EQ(wrap("a incomprehensible b", 0, 6), "a\nincomprehensible\nb"); }

}  // namespace
}  // namespace mpq::report
