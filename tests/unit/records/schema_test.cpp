#include "schema.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "examples.h"

namespace mpq {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

const SchemaChecker& schemas() {
  static const SchemaChecker checker(MPQ_SCHEMA_DIR, {"sensitivity", "plan", "run"});
  return checker;
}

template <typename Record>
Json json_of(const Record& record) {
  return Json::parse(to_json(record));
}

TEST(Schemas, DescribeEveryKeyAndRequireWhatIsAlwaysWritten) { EXPECT_THAT(schemas().flaws(), IsEmpty()); }

TEST(Schemas, AcceptEveryRecordThatIsWritten) {
  EXPECT_THAT(schemas().problems("sensitivity", json_of(example_sensitivity())), IsEmpty());
  EXPECT_THAT(schemas().problems("sensitivity", json_of(Sensitivity{})), IsEmpty());
  Sensitivity shard = example_sensitivity();
  shard.shard = Shard{1, 2};
  shard.layers[0].candidates[0].trial_damages = {0, 1.5};
  shard.layers[0].candidates[0].error_ratio = 0.5;
  EXPECT_THAT(schemas().problems("sensitivity", json_of(shard)), IsEmpty());
  EXPECT_THAT(schemas().problems("plan", json_of(example_plan())), IsEmpty());
  EXPECT_THAT(schemas().problems("plan", json_of(Plan{})), IsEmpty());
  EXPECT_THAT(schemas().problems("run", json_of(example_run())), IsEmpty());
  EXPECT_THAT(schemas().problems("run", json_of(RunRecord{})), IsEmpty());
  RunRecord part = example_run();
  part.sensitivity.reset();
  EXPECT_THAT(schemas().problems("run", json_of(part)), IsEmpty());
  part = example_run();
  part.plan.reset();
  part.cost.reset();
  EXPECT_THAT(schemas().problems("run", json_of(part)), IsEmpty());
}

TEST(Schemas, AcceptNumbersThatAreNotFinite) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  RunRecord record = example_run();
  record.sensitivity->layers[0].score = NAN;
  record.sensitivity->layers[0].standard_error = kInfinite;
  record.sensitivity->layers[0].candidates[0].damage = kInfinite;
  record.sensitivity->layers[0].candidates[0].standard_error = NAN;
  record.sensitivity->rank_stability = NAN;
  record.sensitivity->settings.quantile = NAN;
  record.plan->predicted_damage = record.plan->standard_error = record.plan->bits_per_weight = kInfinite;
  record.plan->lower_bound = -kInfinite;
  record.plan->optimality_gap = NAN;
  record.plan->entries[0].damage = record.plan->entries[0].standard_error = NAN;
  OutputComparison& output = record.verification->outputs[0];
  output.sqnr_db = output.relative_mse = output.cosine = output.max_abs = NAN;
  output.kl = output.top1_agreement = output.top1_low = output.top1_high = NAN;
  record.verification->accuracy = AccuracyComparison{NAN, NAN, 3, NAN};
  record.verification->damage = record.verification->damage_standard_error = kInfinite;
  record.cost = AnalysisCost{NAN, NAN, kInfinite, kInfinite, 3};
  EXPECT_THAT(schemas().problems("run", json_of(record)), IsEmpty());
}

TEST(Schemas, DescribeNothingThatIsNeverWritten) {
  const SchemaChecker checker(MPQ_SCHEMA_DIR, {"sensitivity", "plan", "run"});
  RunRecord record = example_run();
  record.sensitivity->layers[0].candidates[0].trial_damages = {0.5};
  record.sensitivity->layers[0].candidates[0].error_ratio = 0.5;
  checker.problems("run", json_of(record));
  EXPECT_THAT(checker.unseen(), IsEmpty());
}

// The checker itself: it must not accept everything.
TEST(Schemas, RejectRecordsThatAreWrong) {
  const auto problems_with = [](const std::string& pointer, const Json& value) {
    Json record = json_of(example_run());
    record[Json::json_pointer(pointer)] = value;
    return schemas().problems("run", record);
  };
  EXPECT_THAT(problems_with("/schema_version", 2), Contains(HasSubstr("/schema_version is not 1")));
  EXPECT_THAT(problems_with("/news", 1), Contains(HasSubstr("/news is not described")));
  EXPECT_THAT(problems_with("/plan/entries/0/news", 1), Contains(HasSubstr("/plan/entries/0/news is not described")));
  EXPECT_THAT(problems_with("/plan/entries/0/form", "x"), Contains(HasSubstr("/plan/entries/0/form is none of")));
  EXPECT_THAT(problems_with("/layers/0/bits", 33), Contains(HasSubstr("/layers/0/bits is too large")));
  EXPECT_THAT(problems_with("/layers/0/bytes", -1), Contains(HasSubstr("/layers/0/bytes is too small")));
  EXPECT_THAT(problems_with("/model/bytes", 1.5), Contains(HasSubstr("/model/bytes is no \"integer\"")));
  EXPECT_THAT(problems_with("/model", nullptr), Contains(HasSubstr("/model is no \"object\"")));
  EXPECT_THAT(problems_with("/options/x", 5), Contains(HasSubstr("/options/x")));
  EXPECT_THAT(problems_with("/sensitivity/layers/0/candidates", Json::array()), Contains(HasSubstr("too few")));
  Json record = json_of(example_plan());
  record.erase("budget");
  EXPECT_THAT(schemas().problems("plan", record), Contains(" lacks budget"));
}

}  // namespace
}  // namespace mpq
