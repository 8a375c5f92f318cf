#include "profile/part_graph.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <utility>

namespace mpq::profiling {
namespace {

std::size_t at(int number) { return static_cast<std::size_t>(number); }

using Lists = std::vector<std::vector<int>>;
using Set = std::vector<char>;

void sort_unique(std::vector<int>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

/// Parts with the same label become one: a graph of labels, without loops. `label` holds 0 to count - 1.
Lists contracted(const Lists& producers, const std::vector<int>& label, int count) {
  Lists result(at(count));
  for (std::size_t i = 0; i < producers.size(); ++i) {
    for (const int producer : producers[i]) {
      if (label[at(producer)] != label[i]) result[at(label[i])].push_back(label[at(producer)]);
    }
  }
  for (auto& list : result) sort_unique(list);
  return result;
}

Lists reversed(const Lists& producers) {
  Lists readers(producers.size());
  for (std::size_t i = 0; i < producers.size(); ++i) {
    for (const int producer : producers[i]) readers[at(producer)].push_back(static_cast<int>(i));
  }
  return readers;
}

/// Replaces the distinct values of `label` by 0, 1, ... in their order; returns how many there are.
int compact(std::vector<int>& label) {
  std::vector<int> distinct = label;
  sort_unique(distinct);
  for (int& entry : label) {
    const auto place = std::lower_bound(distinct.begin(), distinct.end(), entry);
    entry = static_cast<int>(place - distinct.begin());
  }
  return static_cast<int>(distinct.size());
}

/// Everything reachable from `start` that is not in `seen`, appended to `order` when it is done with.
void visit(const Lists& next, int start, Set& seen, std::vector<int>& order) {
  std::vector<std::pair<int, std::size_t>> open;
  if (seen[at(start)]) return;
  seen[at(start)] = 1;
  open.emplace_back(start, 0);
  while (!open.empty()) {
    auto& [node, position] = open.back();
    if (position == next[at(node)].size()) {
      order.push_back(node);
      open.pop_back();
      continue;
    }
    const int other = next[at(node)][position++];
    if (!seen[at(other)]) {
      seen[at(other)] = 1;
      open.emplace_back(other, 0);
    }
  }
}

/// The label of every node's strongly connected component (Kosaraju and Sharir): nodes that read from each other.
std::vector<int> components(const Lists& producers) {
  const Lists readers = reversed(producers);
  Set seen(producers.size(), 0);
  std::vector<int> order;
  for (std::size_t i = 0; i < producers.size(); ++i) visit(readers, static_cast<int>(i), seen, order);
  seen.assign(producers.size(), 0);
  std::vector<int> label(producers.size(), 0);
  for (auto node = order.rbegin(); node != order.rend(); ++node) {
    std::vector<int> members;
    visit(producers, *node, seen, members);
    if (members.empty()) continue;
    const int least = *std::min_element(members.begin(), members.end());
    for (const int member : members) label[at(member)] = least;
  }
  return label;
}

/// The position of every node in a topological order that takes the lowest number first.
std::vector<int> topological_positions(const Lists& producers) {
  const Lists readers = reversed(producers);
  std::vector<std::size_t> missing(producers.size());
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (std::size_t i = 0; i < producers.size(); ++i) {
    missing[i] = producers[i].size();
    if (missing[i] == 0) ready.push(static_cast<int>(i));
  }
  std::vector<int> position(producers.size(), 0);
  for (int next = 0; !ready.empty(); ++next) {
    const int node = ready.top();
    ready.pop();
    position[at(node)] = next;
    for (const int reader : readers[at(node)]) {
      if (--missing[at(reader)] == 0) ready.push(reader);
    }
  }
  return position;
}

/// Replaces every label by its group's.
void relabel(std::vector<int>& label, const std::vector<int>& group) {
  for (int& entry : label) entry = group[at(entry)];
}

/// Light nodes join what they follow; see segmentation().
class Follower {
 public:
  Follower(const Lists& producers, const std::vector<char>& heavy) : producers_(producers), heavy_(heavy) {}

  /// Nodes must be in topological order.
  std::vector<int> run() {
    for (std::size_t i = 0; i < producers_.size(); ++i) {
      const int node = static_cast<int>(i);
      const int last = latest_group(node);
      if (last < 0 || heavy_[i] || joins_branches(node, last)) {
        open_group(node);
      } else {
        join(node, last);
      }
    }
    return std::move(group_);
  }

 private:
  int latest_group(int node) const {
    int latest = -1;
    for (const int producer : producers_[at(node)]) latest = std::max(latest, group_[at(producer)]);
    return latest;
  }

  /// Whether the node reads, beside from group `last`, from heavy work that can run at the same time.
  bool joins_branches(int node, int last) const {
    for (const int producer : producers_[at(node)]) {
      const int other = group_[at(producer)];
      if (other == last || before_[at(last)][at(other)]) continue;
      for (int group = 0; group <= other; ++group) {
        const bool feeds_other = group == other || before_[at(other)][at(group)];
        if (feeds_other && group_heavy_[at(group)] && group != last && !before_[at(last)][at(group)]) return true;
      }
    }
    return false;
  }

  void open_group(int node) {
    const int group = static_cast<int>(before_.size());
    group_.push_back(group);
    group_heavy_.push_back(heavy_[at(node)]);
    before_.emplace_back(at(group), 0);
    for (const int producer : producers_[at(node)]) add_before(group, group_[at(producer)]);
  }

  void join(int node, int group) {
    group_.push_back(group);
    for (const int producer : producers_[at(node)]) {
      const int other = group_[at(producer)];
      if (other == group || before_[at(group)][at(other)]) continue;
      for (int later = group; later < static_cast<int>(before_.size()); ++later) {
        if (later == group || before_[at(later)][at(group)]) add_before(later, other);
      }
    }
  }

  void add_before(int group, int other) {
    before_[at(group)][at(other)] = 1;
    for (int earlier = 0; earlier < other; ++earlier) {
      if (before_[at(other)][at(earlier)]) before_[at(group)][at(earlier)] = 1;
    }
  }

  const Lists& producers_;
  const std::vector<char>& heavy_;
  std::vector<int> group_;
  std::vector<char> group_heavy_;
  std::vector<Set> before_;  // [group]: groups it reads from, straight or not; all have lower numbers
};

/// Light groups that a single other one reads from go with it.
std::vector<int> merge_forward(const Lists& producers, const std::vector<char>& heavy) {
  const Lists readers = reversed(producers);
  std::vector<int> group(producers.size());
  std::iota(group.begin(), group.end(), 0);
  for (std::size_t i = group.size(); i-- > 0;) {
    if (!heavy[i] && readers[i].size() == 1) group[i] = group[at(readers[i].front())];
  }
  return group;
}

std::vector<char> any_heavy(const std::vector<char>& heavy, const std::vector<int>& label, int count) {
  std::vector<char> result(at(count), 0);
  for (std::size_t i = 0; i < label.size(); ++i) result[at(label[i])] |= heavy[i];
  return result;
}

}  // namespace

PartGraph::PartGraph(int count) : heavy_(at(count), 0), producers_(at(count)), fused_(at(count)) {}

void PartGraph::add_edge(int producer, int reader, bool can_cross) {
  producers_[at(reader)].push_back(producer);
  if (!can_cross) fused_[at(reader)].push_back(producer);
}

std::vector<int> PartGraph::groups() const {
  // What cannot be cut, and what would then read from each other, is one.
  Lists bound = producers_;
  for (std::size_t i = 0; i < fused_.size(); ++i) {
    for (const int producer : fused_[i]) bound[at(producer)].push_back(static_cast<int>(i));
  }
  std::vector<int> label = components(bound);
  const auto step = [&](const std::function<std::vector<int>(const Lists&, const std::vector<char>&)>& grouping) {
    const int count = compact(label);
    const Lists producers = contracted(producers_, label, count);
    relabel(label, grouping(producers, any_heavy(heavy_, label, count)));
  };
  const auto sort = [](const Lists& producers, const std::vector<char>&) { return topological_positions(producers); };
  step(sort);
  step([](const Lists& producers, const std::vector<char>& heavy) { return Follower(producers, heavy).run(); });
  step(sort);
  step(merge_forward);
  step(sort);
  return label;
}

}  // namespace mpq::profiling
