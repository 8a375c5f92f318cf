#include "records/json_reader.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "errors.h"

namespace mpq {
namespace {

using testing::HasSubstr;

const std::string kFile = "x.json";

class JsonReaderTest : public testing::Test {
 protected:
  const Json value_ = Json::parse(R"({
    "text": "abc", "yes": true, "whole": 7, "minus": -7, "broken": 1.5, "huge": 18446744073709551615, "nothing": null,
    "list": [1, {"deep": "x"}], "nan": null, "nan_reason": "not a number", "inf": null, "inf_reason": "infinite",
    "odd": null, "odd_reason": "tired", "pairs": {"a": "1", "b": ["2", "3"]}})");
  const JsonReader reader_{value_, "", kFile};
};

TEST_F(JsonReaderTest, ReadsWhatIsThere) {
  EXPECT_EQ(reader_.at("text").string(), "abc");
  EXPECT_TRUE(reader_.at("yes").boolean());
  EXPECT_EQ(reader_.at("whole").integer(0), 7);
  EXPECT_EQ(reader_.at("minus").integer(-7, 7), -7);
  EXPECT_EQ(reader_.at("huge").natural(), 18446744073709551615ull);
  EXPECT_EQ(reader_.number("broken"), 1.5);
  EXPECT_EQ(reader_.number("whole"), 7);
  EXPECT_EQ(reader_.at("list").elements()[1].at("deep").string(), "x");
  EXPECT_EQ(reader_.at("pairs").text_pairs(),
            (std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"b", "2"}, {"b", "3"}}));
}

TEST_F(JsonReaderTest, TurnsNullBackIntoWhatItStandsFor) {
  EXPECT_TRUE(std::isnan(reader_.number("nan")));
  EXPECT_EQ(reader_.number("inf"), INFINITY);
  EXPECT_TRUE(std::isnan(reader_.number("nothing")));
  EXPECT_EQ(reader_.optional_number("nothing"), std::nullopt);
  EXPECT_TRUE(std::isnan(*reader_.optional_number("nan")));
  EXPECT_FALSE(reader_.find("nothing").has_value());
  EXPECT_FALSE(reader_.find("absent").has_value());
}

TEST_F(JsonReaderTest, NamesTheFileThePathAndWhatWasExpected) {
  const auto message = [](const auto& action) { return invalid_input(kFile, action); };
  EXPECT_THAT(message([&] { reader_.at("absent"); }), HasSubstr("lacks the value absent"));
  EXPECT_THAT(message([&] { reader_.at("list").elements()[1].at("deep").boolean(); }),
              HasSubstr("\"x\" at list[1].deep; true or false was expected"));
  EXPECT_THAT(message([&] { reader_.at("broken").integer(0); }), HasSubstr("1.5 at broken; an integer"));
  EXPECT_THAT(message([&] { reader_.at("huge").integer(0); }), HasSubstr("an integer"));
  EXPECT_THAT(message([&] { reader_.at("minus").integer(0, 9); }), HasSubstr("from 0 to 9"));
  EXPECT_THAT(message([&] { reader_.at("minus").natural(); }), HasSubstr("at least 0"));
  EXPECT_THAT(message([&] { reader_.non_negative("minus"); }), HasSubstr("-7 at minus; a number of at least 0"));
  EXPECT_THAT(message([&] { reader_.number("text"); }), HasSubstr("a number or null"));
  EXPECT_THAT(message([&] { reader_.number("odd"); }), HasSubstr("\"tired\" at odd_reason; one of not a number"));
  EXPECT_THAT(message([&] { reader_.at("text").word({"x", "y"}); }), HasSubstr("one of x, y"));
  EXPECT_THAT(message([&] { reader_.at("list").string(); }), HasSubstr("a list at list"));
  EXPECT_THAT(message([&] { reader_.at("text").at("x"); }), HasSubstr("an object was expected"));
  EXPECT_THAT(message([&] { reader_.at("text").elements(); }), HasSubstr("a list was expected"));
}

TEST(ParseRecord, SaysWhyAFileIsNoRecord) {
  const auto message = [](const std::string& text) {
    return invalid_input(kFile, [&] { parse_record(text, kFile, "plan", 1); });
  };
  EXPECT_THAT(message(""), HasSubstr("no JSON: it breaks at line 1, column 1"));
  EXPECT_THAT(message("{\n  \"a\": tru\n}"), HasSubstr("line 2, column"));
  EXPECT_THAT(message("\x80\x04model"), HasSubstr("no JSON"));
  EXPECT_THAT(message("[1]"), HasSubstr("no record of mpq"));
  EXPECT_THAT(message("{}"), HasSubstr("no record of mpq"));
  EXPECT_THAT(message(R"({"schema_version": 1, "record": "run"})"), HasSubstr("holds a run record; a plan record"));
  EXPECT_THAT(message(R"({"schema_version": 1, "record": "cake"})"), HasSubstr("one of sensitivity, plan, run"));
  EXPECT_THAT(message(R"({"schema_version": 2, "record": "plan"})"),
              HasSubstr("schema version 2; this mpq reads version 1"));
  EXPECT_THAT(message(R"({"schema_version": "1", "record": "plan"})"), HasSubstr("\"1\" at schema_version"));
  EXPECT_EQ(message(R"({"schema_version": 1, "record": "plan"})"), "no error");
}

TEST(ParseRecord, SurvivesDeepNesting) {
  EXPECT_THAT(invalid_input(kFile, [] { parse_record(std::string(200000, '['), kFile, "plan", 1); }),
              HasSubstr("no JSON"));
}

}  // namespace
}  // namespace mpq
