#include "report/table.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mpq::report {
namespace {

using Align = Column::Align;

TEST(Table, AlignsColumnsToTheirWidestCell) {
  Table table({{"name", Align::kLeft}, {"n"}});
  table.add({{"a"}, {"1"}});
  table.add({{"long name"}, {"1000"}});
  EXPECT_EQ(table.render(Style(false, false, 80)),
            "name          n\n"
            "a             1\n"
            "long name  1000\n");
}

TEST(Table, ShortensTheFlexibleColumnToFit) {
  Table table({{"name", Align::kLeft, 14}, {"value"}});
  table.add({{std::string(200, 'x')}, {"12345"}});
  std::istringstream lines(table.render(Style(false, false, 60)));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), 60U) << line;
}

TEST(Table, KeepsNamesReadableEvenWhereTheLineGetsTooLong) {
  Table table({{"name", Align::kLeft, 14}, {std::string(70, 'v')}});
  table.add({{"encoder/layer.0/query"}, {"1"}});
  EXPECT_NE(table.render(Style(false, false, 60)).find("\n.../query"), std::string::npos);
}

TEST(Table, GivesUpGapsAndOtherColumnsBeforeTheNameGetsUnreadable) {
  Table table({{"name", Align::kLeft, 14}, {"shape", Align::kLeft, 5}, {"n"}});
  table.add({{std::string(40, 'x')}, {"1024x1024x3x3"}, {std::string(25, '7')}});
  const std::string text = table.render(Style(false, false, 56));
  EXPECT_NE(text.find(std::string(8, 'x') + "..." + std::string(9, 'x') + " 102...3x3 "), std::string::npos) << text;
}

TEST(Table, LeavesColumnsOutBeforeNamesGetUnreadableAndOthersWhereNothingElseFits) {
  using Need = Column::Need;
  Table table(
      {{"op", Align::kLeft, 0, Need::kRoomy}, {"name", Align::kLeft, 14}, {"log", Align::kLeft, 0, Need::kUnlessTiny}});
  table.add({{"Conv"}, {std::string(20, 'x')}, {std::string(20, '#')}});
  EXPECT_THAT(table.render(Style(false, false, 46)), testing::StartsWith("op   name                 log\nConv xxx"));
  EXPECT_THAT(table.render(Style(false, false, 44)), testing::StartsWith("name                 log\nxxx"));
  EXPECT_THAT(table.render(Style(false, false, 36)), testing::HasSubstr("xxxxxx...xxxxxx ####"));
  EXPECT_EQ(table.render(Style(false, false, 30)), "name\nxxxxx...xxxxxx\n");
}

TEST(Table, TitlesOfSeveralLinesStandAtTheFoot) {
  Table table({{"name", Align::kLeft}, {"cpu:0\nfloat32"}});
  table.add({{"x"}, {"1 us"}});
  EXPECT_EQ(table.render(Style(false, false, 80)), "        cpu:0\nname  float32\nx        1 us\n");
}

TEST(Table, LeavesTheLastOptionalColumnOutFirst) {
  constexpr auto kRoomy = Column::Need::kRoomy;
  Table table({{"name", Align::kLeft, 4}, {"a", Align::kRight, 0, kRoomy}, {"b", Align::kRight, 0, kRoomy}});
  table.add({{"x"}, {std::string(20, '1')}, {std::string(20, '2')}});
  EXPECT_NE(table.render(Style(false, false, 80)).find('2'), std::string::npos);
  EXPECT_EQ(table.render(Style(false, false, 30)),
            "name" + std::string(20, ' ') + "a\nx    " + std::string(20, '1') + "\n");
  EXPECT_EQ(table.render(Style(false, false, 10)), "name\nx\n");
}

TEST(Table, LeavesNoTrailingSpaces) {
  Table table({{"a", Align::kLeft}, {"b", Align::kLeft}});
  table.add({{"x"}, {""}});
  EXPECT_EQ(table.render(Style(false, false, 80)), "a  b\nx\n");
}

TEST(Table, ColoursDoNotCountAsWidth) {
  Table table({{"a"}, {"b"}});
  table.add({{"7", Tone::kBad}, {"8"}});
  EXPECT_EQ(table.render(Style(true, true, 80)), "\x1b[1ma\x1b[0m  \x1b[1mb\x1b[0m\n\x1b[31m7\x1b[0m  8\n");
}

TEST(Table, IndentsEveryLine) {
  Table table({{"a"}});
  table.add({{"1"}});
  EXPECT_EQ(table.render(Style(false, false, 80), 2), "  a\n  1\n");
}

}  // namespace
}  // namespace mpq::report
