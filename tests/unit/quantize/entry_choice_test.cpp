#include "quantize/entry_choice.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "quantize/entry_table.h"
#include "support/random.h"

namespace mpq::quant {
namespace {

struct Cloud {
  std::vector<float> numbers, masses;

  HalfStepMoments moments() const {
    HalfStepMoments result;
    for (std::size_t i = 0; i < numbers.size(); ++i) result.add(numbers[i], masses[i]);
    return result;
  }
  double error(const std::vector<std::int8_t>& entries) const {
    double sum = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      double least = std::numeric_limits<double>::infinity();
      for (const std::int8_t entry : entries) least = std::min(least, std::fabs(double{numbers[i]} - entry));
      sum += masses[i] * least * least;
    }
    return sum;
  }
};

Cloud cloud(std::uint64_t key, std::size_t count, float spread) {
  Cloud result{std::vector<float>(count), std::vector<float>(count)};
  fill_gaussian(Philox(key, 0), result.numbers);
  fill_gaussian(Philox(key, 1), result.masses);
  for (float& number : result.numbers) number *= spread;
  for (float& mass : result.masses) mass = mass * mass + 0.01F;
  return result;
}

/// Plain dynamic programming over all pairs, with errors summed number by number.
double best_error_by_all_pairs(const Cloud& numbers, int count) {
  constexpr int kPlaces = 255;
  const auto between = [&](int low, int high) {
    double sum = 0;
    for (std::size_t i = 0; i < numbers.numbers.size(); ++i) {
      const double x = numbers.numbers[i];
      if (x < low || x >= high) continue;
      const double nearest = std::min(x - low, high - x);
      sum += numbers.masses[i] * nearest * nearest;
    }
    return sum;
  };
  const auto outside = [&](int entry, bool below) {
    double sum = 0;
    for (std::size_t i = 0; i < numbers.numbers.size(); ++i) {
      const double x = numbers.numbers[i] - entry;
      if (below ? x < 0 : x >= 0) sum += numbers.masses[i] * x * x;
    }
    return sum;
  };
  std::vector<double> last(kPlaces);
  for (int p = 0; p < kPlaces; ++p) last[static_cast<std::size_t>(p)] = outside(p - 127, true);
  for (int k = 1; k < count; ++k) {
    std::vector<double> next(kPlaces, std::numeric_limits<double>::infinity());
    for (int p = k; p < kPlaces; ++p) {
      for (int q = k - 1; q < p; ++q) {
        const double error = last[static_cast<std::size_t>(q)] + between(q - 127, p - 127);
        next[static_cast<std::size_t>(p)] = std::min(next[static_cast<std::size_t>(p)], error);
      }
    }
    last = next;
  }
  double best = std::numeric_limits<double>::infinity();
  for (int p = count - 1; p < kPlaces; ++p) {
    best = std::min(best, last[static_cast<std::size_t>(p)] + outside(p - 127, false));
  }
  return best;
}

TEST(EntryChoice, NoChoiceOfEntriesIsBetter) {
  for (const std::uint64_t key : {1, 2, 3}) {
    for (const int count : {2, 4, 5}) {
      const Cloud numbers = cloud(key, 40, key == 3 ? 120.0F : 35.0F);
      const EntryChoice found = best_entries(numbers.moments(), count);
      ASSERT_EQ(found.entries.size(), static_cast<std::size_t>(count));
      EXPECT_TRUE(std::is_sorted(found.entries.begin(), found.entries.end(), std::less_equal<>()));
      const double least = best_error_by_all_pairs(numbers, count);
      EXPECT_NEAR(found.error, least, 1e-6 * least + 1e-9);
      EXPECT_NEAR(numbers.error(found.entries), least, 1e-6 * least + 1e-9);
    }
  }
}

TEST(EntryChoice, EntriesStandOnClustersAndClipWhatLiesBeyond) {
  HalfStepMoments numbers;
  for (const double x : {-100.0, -20.0, 7.0, 90.0}) numbers.add(x, 2);
  const EntryChoice exact = best_entries(numbers, 4);
  EXPECT_EQ(exact.entries, (std::vector<std::int8_t>{-100, -20, 7, 90}));
  EXPECT_NEAR(exact.error, 0, 1e-9);
  numbers.add(400, 1e-9);
  EXPECT_EQ(best_entries(numbers, 4).entries, exact.entries);
}

TEST(EntryTable, FindsTheNearestEntryOfAnyRatio) {
  const std::vector<std::int8_t> entries = {-127, -60, -3, 0, 1, 2, 40, 127};
  const EntryTable table(entries);
  for (float ratio = -140; ratio < 140; ratio += 0.126F) {
    const auto nearest = std::min_element(entries.begin(), entries.end(), [&](std::int8_t a, std::int8_t b) {
      return std::fabs(ratio - a) < std::fabs(ratio - b);
    });
    EXPECT_FLOAT_EQ(std::fabs(ratio - table.nearest(ratio)), std::fabs(ratio - *nearest)) << ratio;
  }
}

}  // namespace
}  // namespace mpq::quant
