#include "place/throughput.h"

#include <bit>
#include <cmath>
#include <functional>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "problems.h"

namespace mpq::placing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The oracle is written from the definition and shares nothing with the search but Problem: it enumerates every division
// of the processors into lanes and every way to cut a lane into stages of disjoint groups.
class BruteForce {
 public:
  BruteForce(const Problem& problem, double limit) : problem_(problem), limit_(limit) {}

  double best_rate() {
    double best = 0;
    for (std::uint32_t set = 1; set < (1U << problem_.processor_count()); ++set) {
      if (compatible(set)) best = std::max(best, divided(set));
    }
    return best;
  }

 private:
  bool compatible(std::uint32_t set) const {
    std::uint64_t used = 0;
    for (int p = 0; p < problem_.processor_count(); ++p) {
      if ((set >> p & 1U) == 0) continue;
      if ((used & problem_.processors[static_cast<std::size_t>(p)].resources) != 0) return false;
      used |= problem_.processors[static_cast<std::size_t>(p)].resources;
    }
    return true;
  }

  double divided(std::uint32_t set) {
    if (set == 0) return 0;
    const std::uint32_t lowest = set & (~set + 1);
    double best = divided(set ^ lowest);  // left idle
    const std::uint32_t others = set ^ lowest;
    for (std::uint32_t more = others;; more = (more - 1) & others) {
      const double rate = lane(more | lowest);
      if (rate > 0) best = std::max(best, rate + divided(others ^ more));
      if (more == 0) break;
    }
    return best;
  }

  /// A lane that uses exactly these processors, and meets the limit.
  double lane(std::uint32_t set) {
    const auto known = lanes_.find(set);
    if (known != lanes_.end()) return known->second;
    double rate = stages(0, set);
    if (rate > 0 && std::popcount(set) / rate > limit_) rate = 0;
    // Alone and replicated without a cut is what separate lanes are for.
    return lanes_[set] = rate;
  }

  double stages(int first, std::uint32_t set) const {
    if (first == problem_.segments) return set == 0 ? kNever : 0;
    double best = 0;
    for (std::uint32_t group = set; group != 0; group = (group - 1) & set) {
      for (int end = first + 1; end <= problem_.segments; ++end) {
        if (first == 0 && end == problem_.segments && std::popcount(group) > 1) continue;
        double rate = 0;
        for (int p = 0; p < problem_.processor_count(); ++p) {
          if ((group >> p & 1U) != 0) rate += 1 / seconds(first, end, p);
        }
        if (rate > best) best = std::max(best, std::min(rate, stages(end, set ^ group)));
      }
    }
    return best;
  }

  double seconds(int first, int end, int p) const {
    const Processor& processor = problem_.processors[static_cast<std::size_t>(p)];
    double total = problem_.time(first, p);
    for (int s = first + 1; s < end; ++s) {
      if (problem_.time(s, p) == kNever) return kNever;
      total += std::max(0.0, problem_.time(s, p) - problem_.savings[problem_.cell(s - 1, p)]);
    }
    double in = 0, out = 0;
    for (const Handover& value : problem_.handovers) {
      const auto inside = [&](int s) { return s >= first && s < end; };
      const bool read = std::any_of(value.consumers.begin(), value.consumers.end(), inside);
      const bool outside = std::any_of(value.consumers.begin(), value.consumers.end(), [&](int s) { return !inside(s); });
      if (!inside(value.producer) && read) in += static_cast<double>(value.bytes);
      if (inside(value.producer) && outside) out += static_cast<double>(value.bytes);
    }
    if (first > 0) total += processor.in_seconds + in * processor.in_seconds_per_byte;
    if (end < problem_.segments) total += processor.out_seconds + out * processor.out_seconds_per_byte;
    return total;
  }

  const Problem& problem_;
  double limit_;
  std::map<std::uint32_t, double> lanes_;
};

/// Every segment in exactly one stage of every lane, no processor twice, and the figures as the stages give them.
void expect_whole(const Problem& problem, const Placement& placement) {
  std::uint64_t used = 0;
  double total = 0;
  for (const Lane& lane : placement.lanes) {
    int next = 0;
    double slowest = kNever;
    for (const PlacedSubnet& subnet : lane.subnets) {
      for (const int segment : subnet.segments) EXPECT_EQ(segment, next++);
      double rate = 0;
      for (std::size_t i = 0; i < subnet.processors.size(); ++i) {
        const auto& processor = problem.processors[static_cast<std::size_t>(subnet.processors[i])];
        EXPECT_EQ(used & processor.resources, 0U);
        used |= processor.resources;
        rate += 1 / subnet.seconds[i];
      }
      slowest = std::min(slowest, rate);
    }
    EXPECT_EQ(next, problem.segments);
    EXPECT_NEAR(lane.rate, slowest, 1e-9 * slowest);
    total += lane.rate;
  }
  EXPECT_NEAR(placement.rate, total, 1e-9 * total);
}

void compare(const Shape& shape, int count, std::uint64_t seed, bool limited = false) {
  std::mt19937_64 random(seed);
  for (int i = 0; i < count; ++i) {
    Shape varied = shape;
    varied.segments = 1 + static_cast<int>(random() % static_cast<unsigned>(shape.segments));
    varied.processors = 1 + static_cast<int>(random() % static_cast<unsigned>(shape.processors));
    const Problem problem = random_problem(varied, random);
    const double limit = limited ? std::uniform_real_distribution<double>(0.5, 12)(random) : kNever;
    const double expected = BruteForce(problem, limit).best_rate();
    SCOPED_TRACE(i);
    if (expected == 0 && limited && BruteForce(problem, kNever).best_rate() > 0) {
      EXPECT_THROW(place_for_throughput(problem, limit), Error);
      continue;
    }
    if (expected == 0) {
      EXPECT_EQ(place_for_throughput(problem).strategy, "processors in turn");
      continue;
    }
    const Placement placement = place_for_throughput(problem, limited ? std::optional(limit) : std::nullopt);
    ASSERT_NEAR(placement.rate, expected, 1e-9 * expected) << placement.strategy << ", limit " << limit;
    expect_whole(problem, placement);
  }
}

TEST(Throughput, AgreesWithBruteForceOnChains) { compare({.segments = 6, .processors = 4}, 1500, 1); }
TEST(Throughput, AgreesWithBruteForceOnGraphs) { compare({.segments = 6, .processors = 4, .chain = false}, 1500, 2); }
TEST(Throughput, AgreesWithBruteForceWhereSegmentsDoNotRunEverywhere) {
  compare({.segments = 6, .processors = 4, .unsupported = 0.3}, 1500, 3);
}
TEST(Throughput, AgreesWithBruteForceWhereProcessorsShareCores) {
  compare({.segments = 5, .processors = 4, .conflicts = 0.5}, 1500, 4);
}
TEST(Throughput, AgreesWithBruteForceUnderALatencyLimit) {
  compare({.segments = 5, .processors = 4, .unsupported = 0.1}, 1500, 5, true);
}
TEST(Throughput, AgreesWithBruteForceOnFiveProcessors) { compare({.segments = 7, .processors = 5}, 150, 6); }

/// Equal segments on processors whose speeds are given.
Problem uniform_problem(int segments, const std::vector<double>& speeds) {
  Problem problem;
  problem.segments = segments;
  for (std::size_t p = 0; p < speeds.size(); ++p)
    problem.processors.push_back({.name = "p" + std::to_string(p), .resources = std::uint64_t{1} << p});
  for (int s = 0; s < segments; ++s) {
    for (const double speed : speeds) problem.seconds.push_back(1 / speed);
    if (s + 1 < segments) problem.handovers.push_back({100, s, {s + 1}});
  }
  return problem;
}

TEST(Throughput, ChoosesReplicasOnEqualProcessors) {
  const Placement placement = place_for_throughput(uniform_problem(7, {1, 1}));
  EXPECT_EQ(placement.strategy, "replicas");
  EXPECT_NEAR(placement.rate, 2.0 / 7, 1e-12);
  // The pipeline it beats: stages of 4 and 3 segments.
  const auto pipeline = std::find_if(placement.alternatives.begin(), placement.alternatives.end(),
                                     [](const auto& a) { return a.strategy == "pipeline"; });
  ASSERT_NE(pipeline, placement.alternatives.end());
  EXPECT_NEAR(pipeline->rate, 1.0 / 4, 1e-12);
}

TEST(Throughput, ChoosesAPipelineWhereEachProcessorIsGoodAtItsPart) {
  Problem problem = uniform_problem(4, {1, 1});
  for (int s = 0; s < 4; ++s) problem.seconds[problem.cell(s, s < 2 ? 0 : 1)] = 0.25;
  const Placement placement = place_for_throughput(problem);
  EXPECT_EQ(placement.strategy, "pipeline");
  EXPECT_NEAR(placement.rate, 2, 1e-12);
  ASSERT_EQ(placement.lanes.size(), 1U);
  EXPECT_THAT(placement.lanes[0].subnets[0].segments, ElementsAre(0, 1));
  EXPECT_THAT(placement.lanes[0].subnets[1].segments, ElementsAre(2, 3));
}

TEST(Throughput, ReplicatesTheStageThatManyCanServe) {
  // Only the last processor runs the second half, and runs nothing else.
  Problem problem = uniform_problem(2, {1, 1, 4});
  for (const int p : {0, 1}) problem.seconds[problem.cell(1, p)] = kNever;
  problem.seconds[problem.cell(0, 2)] = kNever;
  const Placement placement = place_for_throughput(problem);
  EXPECT_EQ(placement.strategy, "pipeline with replicas");
  EXPECT_THAT(placement.lanes[0].subnets[0].processors, ElementsAre(0, 1));
  EXPECT_NEAR(placement.rate, 2, 1e-12);
}

TEST(Throughput, SpreadsOverUnequalProcessorsWithNothingLost) {
  const Placement placement = place_for_throughput(uniform_problem(12, {1, 2, 4}));
  EXPECT_NEAR(placement.rate, 7.0 / 12, 1e-12);
}

TEST(Throughput, DecidesBetweenOneWideProcessorAndTwoNarrowOnes) {
  Problem problem = uniform_problem(3, {1, 1, 1.7});
  problem.processors[2].resources = 3;  // both cores
  EXPECT_EQ(place_for_throughput(problem).strategy, "replicas");
  for (int s = 0; s < 3; ++s) problem.seconds[problem.cell(s, 2)] = 1 / 2.2;  // the two share a cache, say
  const Placement wide = place_for_throughput(problem);
  EXPECT_EQ(wide.strategy, "single processor");
  EXPECT_THAT(wide.lanes[0].subnets[0].processors, ElementsAre(2));
}

TEST(Throughput, SaysWhatALatencyLimitLeaves) {
  const Problem problem = uniform_problem(4, {1, 4});
  EXPECT_EQ(place_for_throughput(problem, 5.0).lanes.size(), 2U);
  EXPECT_EQ(place_for_throughput(problem, 2.0).strategy, "single processor");
  try {
    place_for_throughput(problem, 0.5);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInfeasible);
    EXPECT_THAT(error.what(), HasSubstr("the least is 1e+03 ms"));
  }
}

TEST(Throughput, KeepsWithinTheMemoryOfEveryProcessor) {
  Problem problem = uniform_problem(4, {1, 1});
  problem.memory.assign(8, 10);
  for (auto& processor : problem.processors) processor.memory_bytes = 25;
  const Placement placement = place_for_throughput(problem);
  EXPECT_EQ(placement.strategy, "pipeline");
  EXPECT_NEAR(placement.rate, 0.5, 1e-12);
}

TEST(Throughput, RefusesWhatIsNoProblem) {
  Problem problem = uniform_problem(2, {1});
  problem.seconds[0] = kNever;
  EXPECT_THROW(place_for_throughput(problem), Error);
  problem = uniform_problem(2, {1});
  problem.seconds[0] = std::nan("");
  EXPECT_THROW(place_for_throughput(problem), Error);
  problem = uniform_problem(2, {1});
  problem.handovers[0].consumers = {0};
  EXPECT_THROW(place_for_throughput(problem), Error);
}

}  // namespace
}  // namespace mpq::placing
