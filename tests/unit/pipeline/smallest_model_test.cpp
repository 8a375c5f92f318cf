#include "smallest_model.h"

#include <functional>
#include <random>

#include <gmock/gmock.h>

#include "mpq/error.h"

#include "scores.h"

namespace mpq {
namespace {

constexpr double kStep = 1.02;

Sensitivity twenty_layers() {
  std::mt19937_64 random(7);
  return falling_scores(random, 20);
}

/// Stands in for writing and measuring: the loss is what the plan predicts. Keeps the last plan within the limit.
struct Predicted {
  const Sensitivity& scores;
  DropLimit limit;
  Plan kept = {};

  SizeTried operator()(const Budget& budget) {
    const Plan plan = allocate(scores, budget);
    const bool keeps = limit.keeps(plan.predicted_damage);
    if (keeps) kept = plan;
    return {plan.file_bytes, plan.predicted_damage, keeps};
  }
};

DropSearch search(Predicted& predicted, const std::optional<Budget>& most) {
  return search_smallest(predicted.scores, {}, predicted.limit, most, std::ref(predicted), silent_observer());
}

/// Stored bytes of the smallest plan that keeps the limit, from the exact frontier.
std::int64_t least_bytes(const Predicted& predicted) {
  for (const FrontierPoint& point : frontier(predicted.scores)) {
    if (point.damage <= predicted.limit.value) return point.stored_bytes;
  }
  return 0;
}

TEST(SearchSmallest, FindsTheSmallestOfTheFrontierWithinTwoPerCent) {
  const Sensitivity scores = twenty_layers();
  for (const char* text : {"40", "4", "0.4", "0.2"}) {
    Predicted predicted{scores, DropLimit::parse(text)};
    const DropSearch found = search(predicted, std::nullopt);
    EXPECT_LE(predicted.kept.predicted_damage, predicted.limit.value) << text;
    EXPECT_GE(predicted.kept.stored_bytes, least_bytes(predicted)) << text;
    EXPECT_LE(double(predicted.kept.stored_bytes), kStep * double(least_bytes(predicted)) + 20) << text;
    EXPECT_LE(found.tried.size(), 8U) << text;
  }
}

TEST(SearchSmallest, NoLossIsTheModelAsItIs) {
  const Sensitivity scores = twenty_layers();
  Predicted predicted{scores, DropLimit::parse("0")};
  search(predicted, std::nullopt);
  EXPECT_EQ(predicted.kept.predicted_damage, 0);
}

TEST(SearchSmallest, StaysWithinTheBudget) {
  const Sensitivity scores = twenty_layers();
  Predicted predicted{scores, DropLimit::parse("4")};
  const Budget most = Budget::parse("10bit");
  const DropSearch found = search(predicted, most);
  EXPECT_GT(predicted.kept.stored_bytes, 0);
  for (const SizeTried& tried : found.tried) EXPECT_LE(tried.file_bytes, allocate(scores, most).file_bytes);
}

TEST(SearchSmallest, SaysWhatComesNearestWhenNothingKeepsIt) {
  const Sensitivity scores = twenty_layers();
  Predicted predicted{scores, DropLimit::parse("0.0001")};
  try {
    search(predicted, Budget::parse("3bit"));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInfeasible);
    EXPECT_THAT(error.what(), testing::HasSubstr("nearest comes"));
  }
}

TEST(SearchSmallest, TriesTheLargestBeforeItGivesUp) {
  const Sensitivity scores = twenty_layers();
  std::vector<std::string> asked;
  const auto only_whole = [&](const Budget& budget) {
    asked.push_back(budget.text);
    const bool whole = budget.text == "100%";
    return SizeTried{100, whole ? 31.0 : 29.0, whole};
  };
  const DropSearch found =
      search_smallest(scores, {}, DropLimit::parse("30dB"), std::nullopt, only_whole, silent_observer());
  EXPECT_EQ(asked.back(), "100%");
  EXPECT_TRUE(found.tried.back().kept);
}

}  // namespace
}  // namespace mpq
