#include "records/json_writer.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace mpq {
namespace {

TEST(PutNumber, WritesNullAndAReasonForWhatJsonDoesNotKnow) {
  Json object = Json::object();
  put_number(object, "a", 0.1);
  put_number(object, "b", std::nan(""));
  put_number(object, "c", std::numeric_limits<double>::infinity());
  put_number(object, "d", -std::numeric_limits<double>::infinity());
  put_number(object, "e", std::optional<double>());
  EXPECT_EQ(object.dump(), R"({"a":0.1,"b":null,"b_reason":"not a number","c":null,"c_reason":"infinite",)"
                           R"("d":null,"d_reason":"negative infinite","e":null})");
}

TEST(DumpRecord, KeepsFlatListsOnOneLineAndOrder) {
  const Json value{
      {"z", 1}, {"a", {1, 2, 3}}, {"nested", {{"list", {{{"x", 1}}, {{"x", 2}}}}, {"empty", Json::array()}}}};
  EXPECT_EQ(dump_record(value), R"({
  "z": 1,
  "a": [1, 2, 3],
  "nested": {
    "list": [
      {"x": 1},
      {"x": 2}
    ],
    "empty": []
  }
}
)");
}

TEST(DumpRecord, BreaksObjectsThatAreTooLong) {
  const Json value{{"first", std::string(120, 'a')}, {"second", std::string(120, 'b')}};
  EXPECT_EQ(dump_record(value),
            "{\n  \"first\": \"" + std::string(120, 'a') + "\",\n  \"second\": \"" + std::string(120, 'b') + "\"\n}\n");
}

TEST(DumpRecord, IsJsonThatReadsBackEqual) {
  const Json value{{"quote \" \\ \n", {0.1, 1e-300, 5e-324, 1.7976931348623157e308, -0.0, 1.0 / 3}},
                   {"object", {{"a", nullptr}, {"b", true}, {"c", {{"d", Json::array({Json::array({1}), 2})}}}}},
                   {"large", 18446744073709551615ull}};
  EXPECT_EQ(Json::parse(dump_record(value)), value);
}

TEST(DumpRecord, ReplacesBytesThatAreNoUtf8) {
  EXPECT_EQ(dump_record(Json{{"name",
                              "a\xff"
                              "b"}}),
            "{\"name\": \"a\xEF\xBF\xBD"
            "b\"}\n");
}

TEST(TextPairs, RepeatedNamesBecomeAList) {
  EXPECT_EQ(text_pairs({{"a", "1"}, {"b", "2"}, {"a", "3"}, {"a", "4"}}).dump(), R"({"a":["1","3","4"],"b":"2"})");
}

}  // namespace
}  // namespace mpq
