#include "latency/planned_profile.h"

#include <gtest/gtest.h>

namespace mpq {
namespace {

SegmentCost cost(double alone, double with_next) {
  SegmentCost result;
  result.alone = {alone, 0, 5};
  if (with_next > 0) result.with_next = {with_next, 0, 5};
  return result;
}

/// Two segments that save 1 s together in floats and 2 s on int8, of one layer each; a call takes 0.25 s.
Profile pair() {
  Profile profile;
  profile.processors.resize(1);
  profile.processors[0].call_seconds = 0.25;
  profile.segments.resize(2);
  profile.segments[0].layers = {"a"};
  profile.segments[1].layers = {"b"};
  profile.segments[1].predecessors = {0};
  CostColumn floats, int8;
  floats.precision = "float32";
  floats.costs = {cost(8, 15), cost(8, 0)};
  floats.whole = Timing{15, 0, 5};
  int8.precision = "int8";
  int8.costs = {cost(4, 6), cost(4, 0)};
  int8.whole = Timing{12, 0, 5};  // twice what its segments say
  profile.columns = {floats, int8};
  return profile;
}

TEST(PlannedProfile, IsTheMeasuredOneWhereOneKernelRunsAll) {
  const Profile profile = pair();
  EXPECT_DOUBLE_EQ(PlannedProfile(profile, {}).whole_seconds(0), 15);
  EXPECT_DOUBLE_EQ(PlannedProfile(profile, {{"a", 1, "int8"}, {"b", 1, "int8"}}).whole_seconds(0), 12);
  EXPECT_DOUBLE_EQ(PlannedProfile(profile, {{"a", 1, "int4"}}).whole_seconds(0), 15) << "no int4 was measured";
}

TEST(PlannedProfile, HasTheMeanOfWhatNeighboursSave) {
  const Profile profile = pair();
  PlannedProfile planned(profile, {{"a", 1, "int8"}, {"b", 1, ""}});
  EXPECT_DOUBLE_EQ(planned.whole_seconds(0), 8 + 8 - (4 + 1) / 2.0);
  planned.set_kernel(1, "int8");
  EXPECT_DOUBLE_EQ(planned.whole_seconds(0), 12);
}

TEST(PlannedProfile, SavesACallWhereNumbersAreConverted) {
  Profile profile = pair();
  profile.integer_activations = {"a", "b"};
  const PlannedProfile planned(profile, {{"a", 1, "int8"}});
  EXPECT_DOUBLE_EQ(planned.whole_seconds(0), 8 + 8 - 0.25);
  EXPECT_DOUBLE_EQ(subnet_seconds(planned.profile(), {0, 1}, 0, "float32"), 15.75) << "as place() sees it";
}

TEST(PlannedProfile, LetsSegmentsWithoutLayersRunAsThoseBefore) {
  Profile profile = pair();
  profile.segments[1].layers = {};
  profile.integer_activations = {"a"};
  EXPECT_DOUBLE_EQ(PlannedProfile(profile, {{"a", 1, "int8"}}).whole_seconds(0), 12);
  EXPECT_DOUBLE_EQ(PlannedProfile(profile, {{"a", 1, ""}}).whole_seconds(0), 15);
}

TEST(PlannedProfile, WeighsTheLayersOfASegment) {
  Profile profile = pair();
  profile.segments[0].layers = {"a", "c"};
  profile.columns[1].whole->seconds = 6;
  const PlannedProfile planned(profile, {{"a", 3, "int8"}, {"c", 1, ""}, {"b", 1, "int8"}});
  const CostColumn& column = planned.profile().columns.at(0);
  EXPECT_DOUBLE_EQ(column.costs[0].alone.seconds, 0.75 * 4 + 0.25 * 8);
  EXPECT_DOUBLE_EQ(column.costs[1].alone.seconds, 4);
}

}  // namespace
}  // namespace mpq
