#include "profile/part_graph.h"

#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace mpq::profiling {
namespace {

struct Edge {
  int producer, reader;
  bool can_cross = true;
};

std::vector<int> groups(int count, const std::vector<int>& heavy, const std::vector<Edge>& edges) {
  PartGraph graph(count);
  for (const int part : heavy) graph.set_heavy(part);
  for (const Edge& edge : edges) graph.add_edge(edge.producer, edge.reader, edge.can_cross);
  return graph.groups();
}

TEST(PartGraph, LightPartsGoWithTheHeavyOneTheyFollow) {
  EXPECT_EQ(groups(4, {0, 2}, {{0, 1}, {1, 2}, {2, 3}}), (std::vector<int>{0, 0, 1, 1}));
}

TEST(PartGraph, LightPartsInFrontGoWithTheOnlyOneThatReadsThem) {
  EXPECT_EQ(groups(3, {2}, {{0, 1}, {1, 2}}), (std::vector<int>{0, 0, 0}));
}

// 0 -> 1, 2 (heavy) -> 3 joins: the branches must stay apart, so the join is in neither.
TEST(PartGraph, AJoinOfBranchesIsInNoneOfThem) {
  const auto group = groups(4, {0, 1, 2}, {{0, 1}, {0, 2}, {1, 3}, {2, 3}});
  EXPECT_EQ(std::set<int>(group.begin(), group.end()).size(), 4U);
}

// 0 -> 1 (heavy) -> 2, which also reads 0: a skip connection is no branch.
TEST(PartGraph, ASkipConnectionGoesWithTheBranch) {
  EXPECT_EQ(groups(3, {0, 1}, {{0, 1}, {1, 2}, {0, 2}}), (std::vector<int>{0, 1, 1}));
}

TEST(PartGraph, FusedPartsAreOneAndSoIsWhatLiesBetween) {
  // 0 and 2 are one kernel; 1 reads 0 and is read by 2, so that it can run neither before nor after them.
  EXPECT_EQ(groups(3, {0, 1, 2}, {{0, 1}, {1, 2}, {0, 2, false}}), (std::vector<int>{0, 0, 0}));
}

// Against the definition, on random graphs: groups in topological order, no edge points back, no fused edge is cut.
TEST(PartGraph, RandomGraphsAreCutInOrder) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 2000; ++trial) {
    const int count = 2 + static_cast<int>(random() % 14);
    std::vector<Edge> edges;
    std::vector<int> heavy;
    for (int reader = 0; reader < count; ++reader) {
      if (random() % 3 == 0) heavy.push_back(reader);
      for (int producer = 0; producer < reader; ++producer) {
        if (random() % 4 == 0) edges.push_back({producer, reader, random() % 5 != 0});
      }
    }
    const auto group = groups(count, heavy, edges);
    const std::set<int> labels(group.begin(), group.end());
    ASSERT_EQ(*labels.begin(), 0);
    ASSERT_EQ(*labels.rbegin(), static_cast<int>(labels.size()) - 1);
    for (const Edge& edge : edges) {
      const int from = group[static_cast<std::size_t>(edge.producer)],
                to = group[static_cast<std::size_t>(edge.reader)];
      ASSERT_LE(from, to);
      ASSERT_TRUE(edge.can_cross || from == to);
    }
  }
}

}  // namespace
}  // namespace mpq::profiling
