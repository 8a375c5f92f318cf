#include <gtest/gtest.h>

#include "mpq/execution.h"

#include "digits.h"

// What a run teaches the profile, and what the next placement makes of it.

namespace mpq {
namespace {

using testing_executor::digits;
using testing_executor::expect_close;
using testing_executor::one_session;

/// Four segments of 1, 2, 3 and 4 ms on either of two processors; in one session neighbours save half a millisecond.
Profile four_segments() {
  Profile profile;
  profile.segments.resize(4);
  for (int p = 0; p < 2; ++p) {
    Processor& processor = profile.processors.emplace_back();
    processor.name = "cpu:" + std::to_string(p);
    processor.provider = "cpu";
    processor.cores = {p};
    CostColumn& column = profile.columns.emplace_back();
    column.processor = p;
    column.precision = profile.base_precision;
    for (int s = 0; s < 4; ++s) {
      SegmentCost& cost = column.costs.emplace_back();
      cost.alone = {1e-3 * (s + 1), 0, 5};
      if (s < 3) cost.with_next = {1e-3 * (2 * s + 3) - 5e-4, 0, 5};
    }
  }
  return profile;
}

/// Segments 0 and 1 on the first processor, 2 and 3 on the second.
Placement halves() {
  Placement placement;
  Lane& lane = placement.lanes.emplace_back();
  lane.subnets.resize(2);
  lane.subnets[0].segments = {0, 1};
  lane.subnets[0].processors = {0};
  lane.subnets[1].segments = {2, 3};
  lane.subnets[1].processors = {1};
  return placement;
}

TEST(Learned, PromisesWhatWasMeasured) {
  const Profile profile = four_segments();
  const Placement placement = priced(profile, halves());
  ASSERT_NEAR(placement.lanes[0].subnets[0].seconds[0], 2.5e-3, 1e-12);
  const Profile known = learned(profile, placement, {{0, 0, 0, 9, 2.5e-3, 5e-3}});
  const Placement again = priced(known, placement);
  EXPECT_NEAR(again.lanes[0].subnets[0].seconds[0], 5e-3, 1e-12);
  EXPECT_EQ(again.lanes[0].subnets[1].seconds[0], placement.lanes[0].subnets[1].seconds[0]);
  // Only what ran there has changed.
  EXPECT_EQ(known.columns[0].costs[2].alone.seconds, profile.columns[0].costs[2].alone.seconds);
  EXPECT_EQ(known.columns[1].costs[0].alone.seconds, profile.columns[1].costs[0].alone.seconds);
}

TEST(Learned, NeighboursOfDifferentSubnetsGoOnSavingTime) {
  const Profile profile = four_segments();
  const Profile known = learned(profile, priced(profile, halves()), {{0, 0, 0, 9, 1, 2}});
  // 1 and 2 are now 4 and 3 ms there: they save their half millisecond, scaled by the mean of 2 and 1.
  EXPECT_NEAR(subnet_seconds(known, {1, 2}, 0, known.base_precision), 7e-3 - 7.5e-4, 1e-12);
}

TEST(Learned, ARunThatWasNotPredictedTeachesNothing) {
  const Profile profile = four_segments();
  const Profile known = learned(profile, priced(profile, halves()), {{0, 1, 0, 9, 0, 3}});
  for (std::size_t s = 0; s < 4; ++s)
    EXPECT_EQ(known.columns[0].costs[s].alone.seconds, profile.columns[0].costs[s].alone.seconds);
}

TEST(RunTask, MendsAProfileThatIsWrong) {
  if (digits().processors() < 2) GTEST_SKIP() << "one core only";
  // The first processor cannot end the network nor the second begin it, and the second is said to be 100 times faster
  // than it is: all but one segment go there.
  Profile profile = digits().profile;
  profile.columns[0].costs.back().unsupported = "not here";
  profile.columns[1].costs.front().unsupported = "not here";
  for (CostColumn& column : profile.columns) {
    column.whole.reset();
    column.predicted.reset();
    if (column.processor == 0) continue;
    for (SegmentCost& cost : column.costs) {
      cost.alone.seconds /= 100;
      cost.with_next.seconds /= 100;
    }
  }
  ASSERT_EQ(place(profile).lanes.at(0).subnets.size(), 2U);
  RunTaskOptions options;
  options.requests = 60;
  const ExecutionResult result = run_task(digits().model, profile, digits().samples, options);
  EXPECT_GE(result.record.trials, 1);
  for (const SubnetFigures& figures : result.record.subnets) {
    EXPECT_LT(figures.measured_seconds, 10 * figures.predicted_seconds);
    EXPECT_GT(figures.measured_seconds, figures.predicted_seconds / 10);
  }
  for (std::size_t i = 0; i < 60; ++i) expect_close(result.outputs[i], one_session()[i % 12]);
}

TEST(RunTask, TriesNothingWhereNothingIsDivided) {
  Profile profile = digits().profile;
  for (std::size_t p = 1; p < profile.processors.size(); ++p) profile.processors[p].absent = "not here";
  EXPECT_EQ(run_task(digits().model, profile, digits().samples, {}).record.trials, 0);
}

}  // namespace
}  // namespace mpq
