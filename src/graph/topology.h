#pragma once

#include <vector>

#include <onnx/onnx_pb.h>

namespace mpq::graph {

using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

/// The nodes' indices, every node behind those whose outputs it reads, otherwise in the present order.
/// Nodes on a cycle, and those behind one, are missing.
std::vector<int> topological_order(const Nodes& nodes);

/// The nodes of one cycle, each reading from the one before it, the first of the list first; empty when there is none.
std::vector<int> find_cycle(const Nodes& nodes);

/// Brings the nodes into topological_order. False, and nothing changed, when there is a cycle.
bool sort_nodes(Nodes& nodes);

}  // namespace mpq::graph
