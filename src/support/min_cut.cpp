#include "support/min_cut.h"

#include <algorithm>
#include <limits>

namespace mpq {

// Label 1 is the source's side. A node with label 0 lies on the sink's side and cuts its arc from the source, which
// carries the price of label 0.

MinCut::MinCut(std::size_t nodes) : source_(nodes), sink_(nodes + 1), at_(nodes + 2) {}

void MinCut::connect(std::size_t from, std::size_t to, double capacity) {
  at_[from].push_back(arcs_.size());
  arcs_.push_back({to, capacity});
  at_[to].push_back(arcs_.size());
  arcs_.push_back({from, 0});
}

void MinCut::add_prices(std::size_t node, double first, double second) {
  if (first > 0) connect(source_, node, first);
  if (second > 0) connect(node, sink_, second);
}

void MinCut::add_arc(std::size_t from, std::size_t to, double price) { connect(from, to, price); }

bool MinCut::find_levels() {
  level_.assign(at_.size(), -1);
  level_[source_] = 0;
  std::vector<std::size_t> queue = {source_};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    for (const std::size_t arc : at_[queue[i]]) {
      const auto& [to, room] = arcs_[arc];
      if (room <= 0 || level_[to] >= 0) continue;
      level_[to] = level_[queue[i]] + 1;
      queue.push_back(to);
    }
  }
  return level_[sink_] >= 0;
}

double MinCut::push(std::size_t node, double most) {
  if (node == sink_) return most;
  for (std::size_t& i = next_[node]; i < at_[node].size(); ++i) {
    const std::size_t arc = at_[node][i];
    const auto [to, room] = arcs_[arc];
    if (room <= 0 || level_[to] != level_[node] + 1) continue;
    const double pushed = push(to, std::min(most, room));
    if (pushed <= 0) continue;
    arcs_[arc].room -= pushed;
    arcs_[arc ^ 1].room += pushed;
    return pushed;
  }
  return 0;
}

std::vector<char> MinCut::solve() {
  while (find_levels()) {
    next_.assign(at_.size(), 0);
    while (push(source_, std::numeric_limits<double>::max()) > 0) {
    }
  }
  // What the source still reaches is on its side in every cheapest cut: as few ones as possible.
  std::vector<char> labels(at_.size() - 2);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = level_[i] >= 0 ? 1 : 0;
  return labels;
}

}  // namespace mpq
