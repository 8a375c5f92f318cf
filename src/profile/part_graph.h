#pragma once

#include <vector>

namespace mpq::profiling {

/// Parts of a network (numbered in an order they can run in) and who reads from whom, to be grouped into segments.
/// Knows no operators: heavy parts are worth being placed on their own, light ones go with what they follow.
class PartGraph {
 public:
  explicit PartGraph(int count);
  void set_heavy(int part) { heavy_[static_cast<std::size_t>(part)] = 1; }
  /// `reader` reads from `producer`, a part below it. Where the value cannot cross, the two end in one group.
  void add_edge(int producer, int reader, bool can_cross);

  /// The group of every part, numbered in topological order; each group's parts can run as one, before all that read
  /// from it.
  std::vector<int> groups() const;

 private:
  std::vector<char> heavy_;
  std::vector<std::vector<int>> producers_;
  std::vector<std::vector<int>> fused_;  ///< the producers among them that a value cannot cross from
};

}  // namespace mpq::profiling
