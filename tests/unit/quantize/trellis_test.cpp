#include "quantize/trellis.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "layers.h"
#include "support/random.h"

namespace mpq::quant {
namespace {

const std::vector<std::int8_t> kEight = {-100, -60, -33, -10, 11, 30, 64, 99};

std::vector<float> ratios(std::uint64_t key, std::size_t count) {
  std::vector<float> values(count);
  fill_gaussian(Philox(key, 0), values);
  for (float& value : values) value *= 50;
  return values;
}

double error(std::span<const float> ratios, std::span<const float> taken) {
  double sum = 0;
  for (std::size_t i = 0; i < ratios.size(); ++i) sum += std::pow(double{ratios[i]} - taken[i], 2);
  return sum;
}

/// The entries that codes of two bits name in one strand, by the formula of the header.
std::vector<float> named_by(const std::vector<int>& codes) {
  std::vector<float> entries;
  const auto bit = [&](std::size_t at, std::size_t back) { return at >= back ? codes[at - back] % 2 : 0; };
  for (std::size_t t = 0; t < codes.size(); ++t) {
    const int entry = 4 * (codes[t] / 2) + 2 * (bit(t, 0) ^ bit(t, 2) ^ bit(t, 5)) + bit(t, 3);
    entries.push_back(static_cast<float>(kEight[static_cast<std::size_t>(entry)]));
  }
  return entries;
}

/// Least error of all 4^n sequences of codes.
double least_error(std::span<const float> strand) {
  double least = 1e30;
  std::vector<int> codes(strand.size());
  for (std::size_t number = 0; number < std::size_t{1} << (2 * strand.size()); ++number) {
    for (std::size_t t = 0; t < codes.size(); ++t) codes[t] = static_cast<int>(number >> (2 * t)) % 4;
    least = std::min(least, error(strand, named_by(codes)));
  }
  return least;
}

/// Numbers of the entries taken; fails where one is none.
std::vector<std::uint8_t> numbers_of(const std::vector<float>& taken, const std::vector<std::int8_t>& entries) {
  std::vector<std::uint8_t> result;
  for (const float entry : taken) {
    const auto found = std::find(entries.begin(), entries.end(), static_cast<std::int8_t>(entry));
    EXPECT_NE(found, entries.end());
    result.push_back(static_cast<std::uint8_t>(found - entries.begin()));
  }
  return result;
}

TEST(Trellis, TheBestOfAllPathsIsTaken) {
  constexpr std::size_t kLength = 7, kCount = kStrands * kLength;
  const TrellisTable table(kEight);
  for (std::uint64_t key = 0; key < 3; ++key) {
    const std::vector<float> stream = ratios(key, kCount);
    std::vector<float> taken(kCount);
    TrellisStream(kCount, table).round(stream, 0, taken.data());
    for (std::size_t begin = 0; begin < kCount; begin += kLength) {
      const std::span strand = std::span(stream).subspan(begin, kLength);
      EXPECT_NEAR(error(strand, std::span(taken).subspan(begin, kLength)), least_error(strand), 1e-2) << begin;
    }
  }
}

TEST(Trellis, CodesAndEntriesSayTheSame) {
  const TrellisTable table(kEight);
  for (const std::size_t count : {std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{41}, std::size_t{1000}}) {
    const std::vector<float> stream = ratios(count, count);
    std::vector<float> taken(count);
    TrellisStream(count, table).round(stream, 0, taken.data());
    const std::vector<std::uint8_t> entries = numbers_of(taken, kEight);
    const std::vector<std::uint8_t> codes = trellis_codes(entries);
    EXPECT_TRUE(std::ranges::all_of(codes, [](int code) { return code < 4; }));
    EXPECT_EQ(trellis_entries(codes), entries);
    const std::size_t length = strand_length(count);
    const std::vector<int> strand(codes.begin(), codes.begin() + static_cast<std::ptrdiff_t>(std::min(length, count)));
    EXPECT_THAT(named_by(strand), testing::ElementsAreArray(taken.data(), strand.size()));
  }
}

TEST(Trellis, NoPathLeadsThroughAnyEntries) {
  EXPECT_THROW(trellis_codes(std::vector<std::uint8_t>(16, 1)), Error) << "u[t-3] of the first weight is 0";
}

TEST(Trellis, RunsInAnyOrderMeet) {
  constexpr std::size_t kRun = 17, kRuns = 29, kCount = kRun * kRuns;  // strands begin within runs
  const TrellisTable table(kEight);
  const std::vector<float> stream = ratios(5, kCount);
  std::vector<float> whole(kCount), taken(kCount);
  TrellisStream(kCount, table).round(stream, 0, whole.data());
  std::mt19937 random(1);
  for (int attempt = 0; attempt < 20; ++attempt) {
    std::vector<std::size_t> order(kRuns);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), random);
    TrellisStream runs(kCount, table);
    for (const std::size_t run : order) {
      runs.round(std::span(stream).subspan(run * kRun, kRun), run * kRun, taken.data() + run * kRun);
    }
    EXPECT_NO_THROW(trellis_codes(numbers_of(taken, kEight)));
    EXPECT_LT(error(stream, taken), 1.25 * error(stream, whole));
    // Rounded once more, where both ends are bound, no run gets worse.
    double last = error(stream, taken);
    for (const std::size_t run : order) {
      runs.round(std::span(stream).subspan(run * kRun, kRun), run * kRun, taken.data() + run * kRun);
      const double now = error(stream, taken);
      EXPECT_LE(now, last * (1 + 1e-6));
      last = now;
    }
    EXPECT_NO_THROW(trellis_codes(numbers_of(taken, kEight)));
  }
}

TEST(Trellis, LongRunsAreDecidedPieceByPiece) {
  constexpr std::size_t kCount = 100'000;
  const TrellisTable table(kEight);
  const std::vector<float> stream = ratios(9, kCount);
  std::vector<float> taken(kCount);
  TrellisStream(kCount, table).round(stream, 0, taken.data());
  EXPECT_NO_THROW(trellis_codes(numbers_of(taken, kEight)));
}

/// What four entries for two bits leave is .1175 of a Gaussian's variance (Max 1960); trellises of 32 states about .08
/// (Marcellin and Fischer 1990: 10.9 dB), and nothing less than 1/16.
TEST(Trellis, OutdoesTheBestScalarQuantizer) {
  constexpr std::size_t kCount = 200'000;
  std::vector<float> stream(kCount), taken(kCount);
  fill_gaussian(Philox(3, 0), stream);
  for (float& value : stream) value *= 50;
  const std::vector<std::int8_t> entries = {-96, -58, -35, -13, 13, 35, 58, 96};
  const TrellisTable table(entries);
  TrellisStream(kCount, table).round(stream, 0, taken.data());
  const double distortion = error(stream, taken) / (2500.0 * kCount);
  EXPECT_LT(distortion, .087);
  EXPECT_GT(distortion, .0625);
}

TEST(TrellisOrder, OutputChannelsStandSideBySide) {
  using testing::ElementsAre;
  EXPECT_THAT(trellis_axes(test_layer({4, 3, 2}, {0})), ElementsAre(1, 2, 0));
  EXPECT_THAT(trellis_axes(test_layer({4, 3}, {1})), ElementsAre(0, 1));
  EXPECT_THAT(trellis_axes(test_layer({2, 4, 3}, {0, 1})), ElementsAre(2, 0, 1));
  Layer table = test_layer({4, 3}, {0});
  table.op = "Gather";
  EXPECT_THAT(trellis_axes(table), ElementsAre(0, 1));
  EXPECT_THAT(trellis_order(test_layer({2, 3}, {0})), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(trellis_order(test_layer({2, 3}, {1})), ElementsAre(0, 1, 2, 3, 4, 5));
}

}  // namespace
}  // namespace mpq::quant
