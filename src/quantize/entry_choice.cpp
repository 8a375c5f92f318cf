#include "quantize/entry_choice.h"

#include <algorithm>
#include <limits>

namespace mpq::quant {

namespace {

constexpr int kEntries = 255;  // -127 .. 127
constexpr int kLowest = -127;
constexpr int kHalfSteps = 512;
constexpr int kZero = 256;  // the half step that begins at 0

/// What the numbers cost for given neighbours among the entries, by place: place p is the integer p - 127.
class Costs {
 public:
  explicit Costs(const HalfStepMoments& numbers) : sums_(numbers.prefix()) {}

  /// Numbers below the lowest entry, above the highest, and between two neighbours.
  double below(int place) const { return error(0, edge(place), place); }
  double above(int place) const { return error(edge(place), kHalfSteps, place); }
  double between(int low, int high) const {
    const int middle = (low + kLowest) + (high + kLowest) + kZero;
    return error(edge(low), middle, low) + error(middle, edge(high), high);
  }

 private:
  static int edge(int place) { return 2 * (place + kLowest) + kZero; }
  double error(int begin, int end, int place) const {
    const HalfStepMoments::Sums &a = sums_[static_cast<std::size_t>(begin)], &b = sums_[static_cast<std::size_t>(end)];
    const double entry = place + kLowest;
    return (b.second - a.second) - 2 * entry * (b.first - a.first) + entry * entry * (b.mass - a.mass);
  }

  std::vector<HalfStepMoments::Sums> sums_;
};

/// One round of the dynamic program: the best error with one entry more, the highest at each place.
struct Round {
  std::vector<double> error = std::vector<double>(kEntries, std::numeric_limits<double>::infinity());
  std::vector<int> before = std::vector<int>(kEntries, -1);
};

void fill(const Costs& costs, const Round& last, int begin, int end, int first, int final, Round& next) {
  if (begin >= end) return;
  const int place = (begin + end) / 2;
  const auto at = static_cast<std::size_t>(place);
  for (int low = first; low <= std::min(final, place - 1); ++low) {
    const double error = last.error[static_cast<std::size_t>(low)] + costs.between(low, place);
    if (error < next.error[at]) {
      next.error[at] = error;
      next.before[at] = low;
    }
  }
  const int best = next.before[at];
  fill(costs, last, begin, place, first, best < 0 ? final : best, next);
  fill(costs, last, place + 1, end, best < 0 ? first : best, final, next);
}

}  // namespace

void HalfStepMoments::add(double number, double mass) {
  const double place = std::clamp(2 * number + kZero, 0.0, kHalfSteps - 1.0);
  Sums& step = steps[static_cast<std::size_t>(place)];
  step.mass += mass;
  step.first += mass * number;
  step.second += mass * number * number;
}

std::vector<HalfStepMoments::Sums> HalfStepMoments::prefix() const {
  std::vector<Sums> sums{{}};
  for (const Sums& step : steps) {
    const Sums& before = sums.back();
    sums.push_back({before.mass + step.mass, before.first + step.first, before.second + step.second});
  }
  return sums;
}

EntryChoice best_entries(const HalfStepMoments& numbers, int count) {
  const Costs costs(numbers);
  std::vector<Round> rounds(1);
  for (int place = 0; place < kEntries; ++place) rounds[0].error[static_cast<std::size_t>(place)] = costs.below(place);
  for (int k = 1; k < count; ++k) {
    Round next;
    fill(costs, rounds.back(), k, kEntries, k - 1, kEntries - 1, next);
    rounds.push_back(std::move(next));
  }
  EntryChoice choice{{}, std::numeric_limits<double>::infinity()};
  int highest = count - 1;
  for (int place = count - 1; place < kEntries; ++place) {
    const double error = rounds.back().error[static_cast<std::size_t>(place)] + costs.above(place);
    if (!(error < choice.error)) continue;
    choice.error = error;
    highest = place;
  }
  for (int k = count - 1, place = highest; k >= 0; --k) {
    choice.entries.push_back(static_cast<std::int8_t>(place + kLowest));
    place = rounds[static_cast<std::size_t>(k)].before[static_cast<std::size_t>(place)];
  }
  std::reverse(choice.entries.begin(), choice.entries.end());
  return choice;
}

}  // namespace mpq::quant
