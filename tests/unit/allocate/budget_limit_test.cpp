#include "allocate/budget_limit.h"

#include <limits>

#include <gtest/gtest.h>

#include "mpq/error.h"

#include "scores.h"

namespace mpq {
namespace {

Sensitivity record_of(std::int64_t parameters, std::int64_t model_bytes) {
  Sensitivity scores = example_record({example_scores("layer", parameters, 1)});
  scores.model.bytes = model_bytes;
  return scores;
}

BudgetLimit limit_of(const std::string& budget, const Sensitivity& scores) {
  return resolve(Budget::parse(budget), scores);
}

TEST(BudgetLimit, BitsCountTheStoredWeights) {
  const BudgetLimit limit = limit_of("5.5bit", record_of(1000, 5000));
  EXPECT_FALSE(limit.counts_file);
  EXPECT_EQ(limit.limit_bytes, 687);  // 687.5 bytes: never a byte more than asked for
}

TEST(BudgetLimit, BytesPercentAndRatioCountTheFile) {
  const Sensitivity scores = record_of(1000, 5000);
  for (const auto& [text, bytes] : std::initializer_list<std::pair<const char*, std::int64_t>>{
           {"1200B", 1200}, {"1.2kB", 1200}, {"1KiB", 1024}, {"3MB", 3'000'000}, {"25%", 1250}, {"4x", 1250}}) {
    EXPECT_TRUE(limit_of(text, scores).counts_file) << text;
    EXPECT_EQ(limit_of(text, scores).limit_bytes, bytes) << text;
  }
}

TEST(BudgetLimit, RoundingErrorsOfTheUnitTakeNoByteAway) {
  // 0.07 * 100 is 7.000000000000001 and 0.29 * 100 is 28.999999999999996 in doubles.
  EXPECT_EQ(limit_of("29%", record_of(1000, 100)).limit_bytes, 29);
  EXPECT_EQ(limit_of("0.3kB", record_of(1000, 100)).limit_bytes, 300);
}

TEST(BudgetLimit, HugeBudgetsDoNotOverflow) {
  EXPECT_GT(resolve({Budget::Unit::kBitsPerWeight, 9e18, "huge"}, record_of(1000, 5000)).limit_bytes,
            std::int64_t{1} << 60);
}

TEST(BudgetLimit, RefusesWhatCannotBeMeant) {
  const Sensitivity scores = record_of(1000, 5000);
  for (const double value :
       {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(resolve({Budget::Unit::kBytes, value, "x"}, scores), Error) << value;
  }
  EXPECT_THROW(limit_of("25%", record_of(1000, 0)), Error);
}

TEST(BudgetLimit, RangesAreWrittenInEveryUnitTheAskedForOneFirst) {
  const Sensitivity scores = record_of(1000, 5'000'000);
  const knapsack::FeasibleRange range{251, 4000, 1'234'567, 5'000'000};
  EXPECT_EQ(knapsack::describe_range(range, Budget::Unit::kRatio, scores),
            "4.05x to 1x, or 2.01bit to 32bit, or 1.24MB to 5MB, or 24.7% to 100%");
}

}  // namespace
}  // namespace mpq
