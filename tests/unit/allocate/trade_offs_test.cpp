#include <random>

#include <gtest/gtest.h>

#include "mpq/allocate.h"
#include "mpq/error.h"

#include "scores.h"

namespace mpq {
namespace {

TEST(TradeOffs, EveryCellIsThePlanOfItsTwoBudgets) {
  std::mt19937_64 random(13);
  const Sensitivity scores = timed_record(random, 8);
  const TradeOffs trade = trade_offs(scores, 6, 5);
  ASSERT_EQ(trade.damage.size(), trade.sizes.size());
  EXPECT_EQ(trade.processor, "cpu:0");
  int cells = 0;
  for (std::size_t i = 0; i < trade.sizes.size(); ++i) {
    ASSERT_EQ(trade.damage[i].size(), trade.seconds.size());
    for (std::size_t t = 0; t < trade.seconds.size(); ++t) {
      const auto& damage = trade.damage[i][t];
      if (t > 0 && trade.damage[i][t - 1]) {
        ASSERT_TRUE(damage) << "more time allows no less";
        EXPECT_LE(*damage, *trade.damage[i][t - 1] + 1e-12);
      }
      if (!damage) continue;
      ++cells;
      const Budget time{Budget::Unit::kSeconds, trade.seconds[t], "time"};
      EXPECT_DOUBLE_EQ(allocate(scores, trade.sizes[i], within(time)).predicted_damage, *damage);
    }
  }
  EXPECT_GT(cells, 10);
}

TEST(TradeOffs, WithoutTimesThereAreNone) {
  std::mt19937_64 random(14);
  EXPECT_THROW(trade_offs(random_record(random, 3), 6, 5), Error);
}

}  // namespace
}  // namespace mpq
