#include "place/profile_problem.h"

#include <gtest/gtest.h>

#include "mpq/error.h"
#include "mpq/placement.h"

namespace mpq::placing {
namespace {

SegmentCost cost(double alone, double with_next) {
  SegmentCost result;
  result.alone = {alone, 0, 5};
  result.with_next = {with_next, 0, with_next > 0 ? 5 : 0};
  return result;
}

Profile two_cores() {
  Profile profile;
  for (const auto& [name, cores] : {std::pair{"cpu:0", std::vector{0}}, {"cpu:1", {1}}, {"cpu:0-1", {0, 1}}}) {
    mpq::Processor processor;
    processor.name = name;
    processor.provider = "cpu";
    processor.cores = cores;
    processor.call_seconds = 0.5;
    profile.processors.push_back(processor);
  }
  profile.segments.resize(2);
  profile.tensors.resize(1);
  profile.tensors[0].bytes = 64;
  profile.tensors[0].producer = 0;
  profile.tensors[0].consumers = {1};
  for (int p = 0; p < 3; ++p) {
    CostColumn column;
    column.processor = p;
    column.precision = "float32";
    column.costs = {cost(4, 7), cost(4, 0)};
    column.whole = Timing{14, 0, 5};
    column.predicted = 7;
    profile.columns.push_back(column);
  }
  profile.transfers = {{0, 1, 0.1, 0, 0}, {1, 0, 0.3, 0, 0}, {2, 0, 0.5, 0, 0}};
  return profile;
}

TEST(ProfileProblem, TakesTimesScaledToTheWholeNetwork) {
  const ProfileProblem known = problem_of(two_cores(), "float32");
  EXPECT_EQ(known.problem.segments, 2);
  EXPECT_DOUBLE_EQ(known.problem.time(0, 0), 8);
  EXPECT_DOUBLE_EQ(known.problem.time_behind(0, 1, 0), 6);
  EXPECT_DOUBLE_EQ(known.problem.processors[0].in_seconds, 0.4);
  EXPECT_DOUBLE_EQ(known.problem.processors[0].out_seconds, 0);
}

TEST(ProfileProblem, KnowsWhichProcessorsShareCores) {
  const Problem problem = problem_of(two_cores(), "float32").problem;
  EXPECT_FALSE(problem.exclude_each_other(0, 1));
  EXPECT_TRUE(problem.exclude_each_other(0, 2));
  EXPECT_TRUE(problem.exclude_each_other(1, 2));
}

TEST(ProfileProblem, LeavesOutWhatIsAbsentAndMapsBack) {
  Profile profile = two_cores();
  profile.processors[0].absent = "It is not there.";
  EXPECT_EQ(problem_of(profile, "float32").processors, (std::vector<int>{1, 2}));
  const Placement placement = mpq::place(profile, {});
  EXPECT_GE(placement.lanes.at(0).subnets.at(0).processors.at(0), 1);
}

TEST(ProfileProblem, RefusesAPrecisionThatWasNotMeasured) { EXPECT_THROW(problem_of(two_cores(), "int4"), Error); }

TEST(ProfileProblem, PlacesReplicasOnTwoCoresAsFastAsBothTogether) {
  EXPECT_EQ(mpq::place(two_cores(), {}).strategy, "replicas");
}

}  // namespace
}  // namespace mpq::placing
