#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace mpq::quant {

/// Numbers with masses, counted by the half steps [h - 256, h - 255) / 2 they lie in.
struct HalfStepMoments {
  /// Adds a number; beyond the ends it counts where it is but borders no entry.
  void add(double number, double mass);
  /// [513]: sums over the half steps before h of mass, mass x number and mass x number^2.
  struct Sums {
    double mass = 0, first = 0, second = 0;
  };
  std::vector<Sums> prefix() const;

  std::vector<Sums> steps = std::vector<Sums>(512);
};

struct EntryChoice {
  std::vector<std::int8_t> entries;  ///< sorted, different from each other
  double error = 0;                  ///< sum of mass x (number - nearest entry)^2
};

/// The `count` integers of [-127, 127] that represent the numbers best, each by its nearest: k-means in one dimension,
/// exact for entries that are integers. Dynamic programming from the lowest entry to the highest; because the cost of a
/// gap between neighbours is concave Monge, the best predecessor rises with the entry, and each of the `count` rounds
/// takes n log n steps (Hassin and Tamir 1991; Wang and Song 2011).
EntryChoice best_entries(const HalfStepMoments& numbers, int count);

}  // namespace mpq::quant
