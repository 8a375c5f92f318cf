#include "profile/node_groups.h"

#include <algorithm>
#include <unordered_set>

#include "graph/run_index.h"
#include "profile/part_graph.h"

namespace mpq::profiling {
namespace {

using graph::RunForm;
using graph::RunIndex;

std::size_t at(int number) { return static_cast<std::size_t>(number); }

/// Work that is worth a segment of its own.
bool is_heavy(const onnx::NodeProto& node) {
  static const std::unordered_set<std::string> kHeavy = {"Conv",
                                                         "ConvTranspose",
                                                         "ConvInteger",
                                                         "QLinearConv",
                                                         "DeformConv",
                                                         "MatMul",
                                                         "Gemm",
                                                         "MatMulInteger",
                                                         "QLinearMatMul",
                                                         "MatMulNBits",
                                                         "Einsum",
                                                         "LSTM",
                                                         "GRU",
                                                         "RNN",
                                                         "Attention",
                                                         "If",
                                                         "Loop",
                                                         "Scan",
                                                         "DynamicQuantizeLSTM",
                                                         "MultiHeadAttention",
                                                         "GroupQueryAttention"};
  return kHeavy.count(node.op_type()) > 0;
}

/// Nodes that some output of the network needs, directly or through others.
std::vector<char> needed_nodes(const RunForm& form) {
  const RunIndex& index = *form.index;
  std::vector<char> needed(index.nodes.size(), 0);
  std::vector<int> open;
  for (const auto& output : form.model.graph().output()) open.push_back(index.find(output.name()));
  while (!open.empty()) {
    const int value = open.back();
    open.pop_back();
    const int producer = value < 0 ? -1 : index.value(value).producer;
    if (producer < 0 || needed[at(producer)]) continue;
    needed[at(producer)] = 1;
    const auto& reads = index.node(producer).reads;
    open.insert(open.end(), reads.begin(), reads.end());
  }
  return needed;
}

/// Before: Q -> x -> DequantizeLinear -> Conv, Add.   After: x is what crosses; each reader dequantizes for itself, as
/// runtimes do to fuse it.
bool rides_along(const RunForm& form, int node) {
  const onnx::NodeProto& proto = form.model.graph().node(node);
  if (proto.op_type() != "DequantizeLinear") return false;
  const auto& outputs = form.model.graph().output();
  return std::none_of(outputs.begin(), outputs.end(), [&](const auto& o) { return o.name() == proto.output(0); });
}

void add_reads(const RunForm& form, const std::vector<int>& group, int node, std::vector<int>& reads) {
  for (const int value : form.index->node(node).reads) {
    const RunIndex::ValueFacts& facts = form.index->value(value);
    if (facts.constant) continue;
    if (facts.producer >= 0 && group[at(facts.producer)] < 0) {
      add_reads(form, group, facts.producer, reads);
    } else if (std::find(reads.begin(), reads.end(), value) == reads.end()) {
      reads.push_back(value);
    }
  }
}

/// Every node that is in a group, as a group of its own.
NodeGroups single_nodes(const RunForm& form) {
  NodeGroups groups;
  groups.group = std::vector<int>(form.index->nodes.size(), -1);
  const std::vector<char> needed = needed_nodes(form);
  for (std::size_t i = 0; i < needed.size(); ++i) {
    const int node = static_cast<int>(i);
    if (needed[i] && !form.index->nodes[i].constant && !rides_along(form, node)) groups.group[i] = groups.count++;
  }
  groups.reads.resize(groups.group.size());
  for (std::size_t i = 0; i < groups.group.size(); ++i) {
    if (groups.group[i] >= 0) add_reads(form, groups.group, static_cast<int>(i), groups.reads[i]);
  }
  return groups;
}

PartGraph part_graph(const RunForm& form, const std::set<std::string>& kept, const NodeGroups& nodes) {
  PartGraph parts(nodes.count);
  for (std::size_t i = 0; i < nodes.group.size(); ++i) {
    const int part = nodes.group[i];
    if (part < 0) continue;
    if (is_heavy(form.model.graph().node(static_cast<int>(i)))) parts.set_heavy(part);
    for (const int value : nodes.reads[i]) {
      const RunIndex::ValueFacts& facts = form.index->value(value);
      if (facts.producer < 0) continue;
      const bool can_cross = facts.tensor && (kept.empty() || kept.count(facts.name) > 0);
      parts.add_edge(nodes.group[at(facts.producer)], part, can_cross);
    }
  }
  return parts;
}

}  // namespace

NodeGroups group_nodes(const RunForm& form, const std::set<std::string>& kept) {
  NodeGroups groups = single_nodes(form);
  const std::vector<int> group_of_part = part_graph(form, kept, groups).groups();
  groups.count = 0;
  for (int& group : groups.group) {
    if (group < 0) continue;
    group = group_of_part[at(group)];
    groups.count = std::max(groups.count, group + 1);
  }
  return groups;
}

}  // namespace mpq::profiling
