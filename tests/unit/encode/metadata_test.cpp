#include "encode/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "version_generated.h"

namespace mpq::encode {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

using Layers = std::vector<std::pair<std::string, std::string>>;

TEST(PlanText, IsLinesOfFields) {
  const PlanText plan{"0.1.0", "6bit", {{"/conv1", "3bit"}, {"/fc", "float"}, {"/conv2", "3bit"}}};
  EXPECT_EQ(write(plan), "mpq\t0.1.0\nbudget\t6bit\n3bit\t/conv1\t/conv2\nfloat\t/fc");
  EXPECT_EQ(write({"1", "", {}}), "mpq\t1");
}

TEST(PlanText, IsReadBack) {
  const PlanText plan = parse_plan_text("mpq\t0.1.0\nbudget\t6bit\n3bit\t/conv1\t/conv2\n4bit/b64\t/fc\n");
  EXPECT_EQ(plan.version, "0.1.0");
  EXPECT_EQ(plan.budget, "6bit");
  EXPECT_THAT(plan.layers, ElementsAre(Pair("/conv1", "3bit"), Pair("/conv2", "3bit"), Pair("/fc", "4bit/b64")));
}

TEST(PlanText, AnyNameSurvives) {
  const Layers hostile = {{"tab\there", "3bit"},
                          {"line\nbreak", "3bit"},
                          {"back\\slash", "3bit"},
                          {"\\t", "3bit"},
                          {"ends\\", "3bit"},
                          {"", "3bit"},
                          {"mpq\t9.9.9", "3bit"},
                          {"\nbudget\t1", "3bit"},
                          {"carriage\r\n", "3bit"},
                          {"\xc3\xa9\xff", "3bit"},
                          {std::string("\0zero", 5), "3bit"},
                          {" ", "3bit"}};
  EXPECT_EQ(parse_plan_text(write({"0.1.0", "6bit", hostile})).layers, hostile);
  EXPECT_EQ(parse_plan_text(write({"0.1.0", "6bit", hostile})).version, "0.1.0");
  EXPECT_EQ(parse_plan_text(write({"0.1.0", "a\tb\\n\n", {}})).budget, "a\tb\\n\n");
}

TEST(PlanText, PassesOverLinesItDoesNotUnderstand) {
  EXPECT_THAT(parse_plan_text("").layers, IsEmpty());
  const PlanText plan = parse_plan_text("rubbish\n\n\t\nmpq\nmpq\t2\textra\n3bit\tx");
  EXPECT_EQ(plan.version, "2");
  EXPECT_THAT(plan.layers, ElementsAre(Pair("", ""), Pair("x", "3bit")));
}

Plan plan_of(const std::string& budget) {
  Plan plan;
  plan.budget = budget;
  plan.entries.resize(2);
  plan.entries[0].layer = "a";
  plan.entries[0].candidate = {4, "grid", 64};
  plan.entries[1].layer = "b";
  return plan;
}

TEST(PlanTextOf, NamesLayersAndCandidates) {
  const PlanText text = plan_text_of(plan_of("25%"));
  EXPECT_EQ(text.version, MPQ_VERSION);
  EXPECT_EQ(text.budget, "25%");
  EXPECT_THAT(text.layers, ElementsAre(Pair("a", "4bit/b64"), Pair("b", "float")));
  EXPECT_EQ(plan_text_of(plan_of(std::string(1000, '0'))).budget, "") << "not worth its bytes";
}

TEST(Metadata, HoldsOneEntry) {
  onnx::ModelProto model;
  auto* other = model.add_metadata_props();
  other->set_key("author");
  other->set_value("somebody");
  EXPECT_EQ(plan_text(model), "");
  set_plan_text(model, "first");
  set_plan_text(model, "second");
  ASSERT_EQ(model.metadata_props_size(), 2);
  EXPECT_EQ(model.metadata_props(0).value(), "somebody");
  EXPECT_EQ(model.metadata_props(1).key(), "mpq.plan");
  EXPECT_EQ(plan_text(model), "second");
}

std::int64_t entry_bytes(const std::string& text) {
  onnx::ModelProto model;
  set_plan_text(model, text);
  return static_cast<std::int64_t>(model.ByteSizeLong());
}

TEST(PlanEntryBound, IsReachedByNoPlan) {
  const std::vector<std::string> names = {"a", std::string(300, 'b'), "tabs\t\t\t\n\\", "d"};
  const std::vector<std::string> candidates = {"2bit", "4bit/b64", "float"};
  const std::int64_t bound = plan_entry_bound(names, candidates);
  std::int64_t largest = 0;
  for (int code = 0; code < 81; ++code) {
    PlanText plan{MPQ_VERSION, std::string(24, '9'), {}};
    int rest = code;
    for (const std::string& name : names) {
      plan.layers.emplace_back(name, candidates[static_cast<std::size_t>(rest % 3)]);
      rest /= 3;
    }
    largest = std::max(largest, entry_bytes(write(plan)));
  }
  EXPECT_LE(largest, bound);
  EXPECT_GE(largest, bound - 24) << "the bound is not close";
}

}  // namespace
}  // namespace mpq::encode
