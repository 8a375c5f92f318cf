#include <gtest/gtest.h>

#include "mpq/error.h"
#include "mpq/placement.h"

#include "place/throughput.h"
#include "problems.h"

namespace mpq {
namespace {

TEST(Simulate, ReachesThePredictedRateOnRandomPlacements) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200; ++i) {
    const auto problem = placing::random_problem({.segments = 8, .processors = 4}, random);
    const Placement placement = placing::place_for_throughput(problem);
    EXPECT_NEAR(simulate(placement, 4000).rate, placement.rate, 0.02 * placement.rate) << i;
  }
}

TEST(Simulate, KeepsTheLatencyThatLittlesLawGives) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 50; ++i) {
    const auto problem = placing::random_problem({.segments = 8, .processors = 3}, random);
    const double limit = 1.05 * placing::place_for_throughput(problem).seconds;
    const Placement placement = placing::place_for_throughput(problem, limit);
    // Unequal processors of one stage take requests as they come, not in the best order.
    const bool shared = std::any_of(placement.lanes.begin(), placement.lanes.end(), [](const Lane& lane) {
      return lane.in_flight > static_cast<int>(lane.subnets.size());
    });
    EXPECT_LE(simulate(placement, 2000).mean_seconds, limit * (shared ? 1.3 : 1.001)) << i;
  }
}

TEST(Simulate, LosesWithVaryingTimes) {
  Placement placement;
  placement.lanes = {{.subnets = {{{0}, {0}, {1.0}}, {{1}, {1}, {1.0}}}, .rate = 1, .in_flight = 2}};
  EXPECT_NEAR(simulate(placement, 1000).rate, 1, 0.01);
  EXPECT_LT(simulate(placement, 1000, 0.3).rate, 0.95);
  placement.lanes[0].in_flight = 6;
  EXPECT_GT(simulate(placement, 1000, 0.3).rate, 0.95);
  EXPECT_EQ(simulate(placement, 100, 0.3).rate, simulate(placement, 100, 0.3).rate);
}

/// The time of all its subnets counts, whether they stand in one lane or in several.
TEST(Simulate, AProcessorDoesOneThingAtATime) {
  Placement placement;
  placement.lanes = {{.subnets = {{{0}, {0}, {1.0}}, {{1}, {1}, {2.0}}, {{2}, {0}, {3.0}}}, .rate = 1, .in_flight = 6}};
  EXPECT_NEAR(simulate(placement, 1000).rate, 1 / 4.0, 0.001);
  placement.lanes = {{.subnets = {{{0, 1, 2}, {0}, {2.0}}}, .rate = 0.5, .in_flight = 1},
                     {.subnets = {{{0, 1, 2}, {0}, {2.0}}}, .rate = 0.5, .in_flight = 1}};
  EXPECT_NEAR(simulate(placement, 1000).rate, 1 / 2.0, 0.001);
}

TEST(Simulate, RefusesWhatIsNoStream) { EXPECT_THROW(simulate({}, 10), Error); }

}  // namespace
}  // namespace mpq
