#pragma once

#include <set>
#include <string>
#include <vector>

#include "graph/cut.h"

namespace mpq::profiling {

/// Which node of a run form belongs to which group, and what the groups' nodes read.
struct NodeGroups {
  /// Parallel to the form's nodes; -1 for nodes that are in none: those of constants, those that ride along with their
  /// readers, and those no output needs. Groups are numbered in topological order.
  std::vector<int> group;
  int count = 0;
  /// Parallel to the form's nodes, for nodes in a group: the values (numbers of the index) it reads that some group
  /// computes or the network is fed with, seen through nodes that ride along.
  std::vector<std::vector<int>> reads;
};

/// Groups the nodes as segmentation() says.
NodeGroups group_nodes(const graph::RunForm& form, const std::set<std::string>& kept);

}  // namespace mpq::profiling
