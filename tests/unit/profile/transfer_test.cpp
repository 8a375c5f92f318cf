#include "profile/transfer.h"

#include <gtest/gtest.h>

namespace mpq::profiling {
namespace {

TEST(FitTransfer, FindsTheLineOfExactSamples) {
  const TransferCost cost =
      fit_transfer({{64, 3e-5 + 64e-9, 1e-5}, {1000, 2e-5 + 1e-6, 0}, {1000000, 2e-5 + 2e-3, 1e-3}});
  EXPECT_NEAR(cost.fixed_seconds, 2e-5, 1e-12);
  EXPECT_NEAR(cost.seconds_per_byte, 1e-9, 1e-16);
  EXPECT_NEAR(cost.error, 0, 1e-9);
}

TEST(FitTransfer, NeitherPartIsNegative) {
  const TransferCost falling = fit_transfer({{10, 2e-5, 0}, {1000000, 1e-5, 0}});
  EXPECT_EQ(falling.seconds_per_byte, 0);
  EXPECT_GT(falling.fixed_seconds, 0);
  const TransferCost steep = fit_transfer({{1000, 1e-6, 0}, {2000, 5e-6, 0}});
  EXPECT_EQ(steep.fixed_seconds, 0);
  EXPECT_GT(steep.seconds_per_byte, 0);
}

TEST(FitTransfer, NoiseOfALongReadHidesNoWakingUp) {
  // 4 MiB take as long on either side, and longer here by chance: what is known is the signal's 20 us.
  const TransferCost cost = fit_transfer({{64, 2e-5, 1e-8}, {4096, 2.1e-5, 3e-7}, {1 << 22, 1.00e-3, 1.01e-3}});
  EXPECT_NEAR(cost.fixed_seconds, 2e-5, 2e-6);
  EXPECT_LT(cost.error, .05);
}

TEST(MeasureTransfers, EveryOrderedPairOfPresentProcessors) {
  std::vector<Processor> processors(3);
  processors[1].absent = "not there";
  const auto costs = measure_transfers(processors, silent_observer());
  ASSERT_EQ(costs.size(), 2U);
  EXPECT_EQ(costs[0].from, 0);
  EXPECT_EQ(costs[0].to, 2);
  EXPECT_EQ(costs[1].from, 2);
  EXPECT_GT(costs[0].fixed_seconds + costs[0].seconds_per_byte, 0);
}

}  // namespace
}  // namespace mpq::profiling
