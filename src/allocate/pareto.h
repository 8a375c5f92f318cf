#pragma once

#include <cstddef>
#include <vector>

namespace mpq::knapsack {

/// Appends a state unless the last one makes it superfluous: the list stays sorted by rising cost and strictly falling
/// damage. States must arrive by rising cost.
template <typename State>
void append_non_dominated(std::vector<State>& list, const State& state) {
  if (!list.empty()) {
    if (list.back().damage <= state.damage) return;
    if (list.back().cost == state.cost) {
      list.back() = state;
      return;
    }
  }
  list.push_back(state);
}

/// Merges two non-dominated lists into one; of equal states `a`'s stays. `into` is overwritten.
template <typename State>
void merge_non_dominated(const std::vector<State>& a, const std::vector<State>& b, std::vector<State>& into) {
  into.clear();
  into.reserve(a.size() + b.size());
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    append_non_dominated(into, b[j].cost < a[i].cost ? b[j++] : a[i++]);
  }
  while (i < a.size()) append_non_dominated(into, a[i++]);
  while (j < b.size()) append_non_dominated(into, b[j++]);
}

}  // namespace mpq::knapsack
