#include "graph/topology.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <string_view>
#include <unordered_map>

#include "graph/model_impl.h"
#include "graph/scopes.h"

namespace mpq::graph {

namespace {

/// For every node the nodes of the same list whose outputs it reads, each once.
std::vector<std::vector<int>> predecessors(const Nodes& nodes) {
  std::unordered_map<std::string_view, int> writer;
  for (int i = 0; i < nodes.size(); ++i) {
    for (const std::string& output : nodes[i].output()) {
      if (!output.empty()) writer.emplace(output, i);
    }
  }
  std::vector<std::vector<int>> before(static_cast<std::size_t>(nodes.size()));
  for (int i = 0; i < nodes.size(); ++i) {
    auto& list = before[static_cast<std::size_t>(i)];
    for_each_read(nodes[i], [&](const std::string& name) {
      const auto found = writer.find(name);
      if (found != writer.end()) list.push_back(found->second);
    });
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }
  return before;
}

/// Kahn's algorithm (Communications of the ACM, 1962), always taking the ready node that stands first.
std::vector<int> order_of(const std::vector<std::vector<int>>& before) {
  const std::size_t count = before.size();
  std::vector<std::vector<int>> after(count);
  std::vector<std::size_t> waiting(count);
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (std::size_t i = 0; i < count; ++i) {
    waiting[i] = before[i].size();
    for (const int j : before[i]) after[static_cast<std::size_t>(j)].push_back(static_cast<int>(i));
    if (waiting[i] == 0) ready.push(static_cast<int>(i));
  }
  std::vector<int> order;
  order.reserve(count);
  while (!ready.empty()) {
    const int node = ready.top();
    ready.pop();
    order.push_back(node);
    for (const int next : after[static_cast<std::size_t>(node)]) {
      if (--waiting[static_cast<std::size_t>(next)] == 0) ready.push(next);
    }
  }
  return order;
}

/// Swaps the nodes (pointers inside the field, nothing is copied) so that position i holds what stood at order[i].
void permute(Nodes& nodes, const std::vector<int>& order) {
  std::vector<int> place(order.size());   // where the node that first stood at i is now
  std::vector<int> holder(order.size());  // which node stands at i now
  for (std::size_t i = 0; i < order.size(); ++i) place[i] = holder[i] = static_cast<int>(i);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const int here = static_cast<int>(i);
    const int from = place[static_cast<std::size_t>(order[i])];
    if (from == here) continue;
    nodes.SwapElements(here, from);
    std::swap(holder[i], holder[static_cast<std::size_t>(from)]);
    place[static_cast<std::size_t>(holder[i])] = here;
    place[static_cast<std::size_t>(holder[static_cast<std::size_t>(from)])] = from;
  }
}

}  // namespace

std::vector<int> topological_order(const Nodes& nodes) { return order_of(predecessors(nodes)); }

std::vector<int> find_cycle(const Nodes& nodes) {
  const auto before = predecessors(nodes);
  std::vector<bool> sorted(before.size());
  for (const int node : order_of(before)) sorted[static_cast<std::size_t>(node)] = true;
  const auto first = std::find(sorted.begin(), sorted.end(), false);
  if (first == sorted.end()) return {};
  // Every unsorted node has an unsorted predecessor, so walking back must come to a node seen before.
  std::vector<int> path;
  std::vector<std::size_t> seen_at(before.size(), before.size());
  int node = static_cast<int>(first - sorted.begin());
  while (seen_at[static_cast<std::size_t>(node)] == before.size()) {
    seen_at[static_cast<std::size_t>(node)] = path.size();
    path.push_back(node);
    const auto& list = before[static_cast<std::size_t>(node)];
    node = *std::find_if(list.begin(), list.end(), [&](int i) { return !sorted[static_cast<std::size_t>(i)]; });
  }
  path.erase(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(seen_at[static_cast<std::size_t>(node)]));
  std::reverse(path.begin(), path.end());
  std::rotate(path.begin(), std::min_element(path.begin(), path.end()), path.end());
  return path;
}

bool sort_nodes(Nodes& nodes) {
  const std::vector<int> order = topological_order(nodes);
  if (order.size() != static_cast<std::size_t>(nodes.size())) return false;
  permute(nodes, order);
  return true;
}

bool sort_nodes(onnx::GraphProto& graph) { return sort_nodes(*graph.mutable_node()); }

}  // namespace mpq::graph
