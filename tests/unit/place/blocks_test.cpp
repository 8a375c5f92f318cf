#include "place/blocks.h"

#include <gtest/gtest.h>

namespace mpq::placing {
namespace {

TEST(Blocks, EndWhereEverythingPassesThroughOneSegment) {
  Problem problem;
  problem.segments = 6;
  // 0 -> 1, 2 -> 3 -> 4, and 3 -> 5 past 4
  problem.handovers = {{1, 0, {1, 2}}, {1, 1, {3}}, {1, 2, {3}}, {1, 3, {4, 5}}, {1, 4, {5}}};
  const std::vector<Block> blocks = blocks_of(problem);
  ASSERT_EQ(blocks.size(), 5U);
  EXPECT_EQ(blocks[1].first, 1);
  EXPECT_EQ(blocks[1].end, 3);
  EXPECT_EQ(blocks[4].first, 5);
}

TEST(Blocks, AreOneWhereNothingIsShared) {
  Problem problem;
  problem.segments = 3;
  EXPECT_EQ(blocks_of(problem).size(), 1U);
}

}  // namespace
}  // namespace mpq::placing
