#include "support/min_cut.h"

#include <limits>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "support/random.h"

namespace mpq {
namespace {

struct Problem {
  std::vector<std::pair<double, double>> prices;
  std::vector<std::tuple<std::size_t, std::size_t, double>> arcs;

  double cost(unsigned labels) const {
    const auto label = [&](std::size_t node) { return (labels >> node & 1U) != 0; };
    double sum = 0;
    for (std::size_t i = 0; i < prices.size(); ++i) sum += label(i) ? prices[i].second : prices[i].first;
    for (const auto& [from, to, price] : arcs) sum += label(from) && !label(to) ? price : 0;
    return sum;
  }
};

Problem random_problem(std::uint64_t seed) {
  std::vector<float> numbers(200);
  fill_gaussian(Philox(seed), numbers);
  std::size_t next = 0;
  const auto draw = [&] { return std::abs(static_cast<double>(numbers[next++])); };
  Problem problem;
  constexpr std::size_t kNodes = 9;
  for (std::size_t i = 0; i < kNodes; ++i) problem.prices.emplace_back(draw(), draw());
  for (std::size_t i = 0; i < kNodes; ++i) {
    for (std::size_t j = 0; j < kNodes; ++j) {
      if (i != j && draw() > 1) problem.arcs.emplace_back(i, j, draw());
    }
  }
  return problem;
}

TEST(MinCut, is_as_cheap_as_the_best_of_all_labellings) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Problem problem = random_problem(seed);
    MinCut cut(problem.prices.size());
    for (std::size_t i = 0; i < problem.prices.size(); ++i) {
      cut.add_prices(i, problem.prices[i].first, problem.prices[i].second);
    }
    for (const auto& [from, to, price] : problem.arcs) cut.add_arc(from, to, price);
    const std::vector<char> labels = cut.solve();
    unsigned found = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) found |= static_cast<unsigned>(labels[i]) << i;
    double best = std::numeric_limits<double>::infinity();
    for (unsigned each = 0; each < 1U << labels.size(); ++each) best = std::min(best, problem.cost(each));
    EXPECT_NEAR(problem.cost(found), best, 1e-9) << "seed " << seed;
  }
}

TEST(MinCut, never_is_never_and_equal_prices_give_zeros) {
  MinCut cut(3);
  cut.add_prices(0, 5, 0);
  cut.add_prices(1, 0, 3);
  cut.add_arc(0, 1, MinCut::kNever);  // 0 may have label 1 only together with 1
  cut.add_prices(2, 1, 1);
  EXPECT_EQ(cut.solve(), (std::vector<char>{1, 1, 0}));
}

}  // namespace
}  // namespace mpq
