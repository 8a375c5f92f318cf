#pragma once

#include <string>
#include <vector>

#include "graph/adjoint/builder.h"

namespace mpq::graph::adjoint {

bool is_recurrent(const onnx::NodeProto& node);

/// Whether `unroll` can write the node, an LSTM, GRU or RNN, out step by step, given the shapes of what it reads. Nodes
/// with peepholes, clipping, coupled gates, a batch-first layout or activations other than the default ones stay, and
/// those of more than 512 steps (of all directions together) too, since a graph of so many nodes takes longer to load
/// than reruns take.
bool can_unroll(const onnx::NodeProto& node, const FactsMap& facts);

/// Appends what computes the same in operators that have rules; the value of each output.
///   Before: LSTM(X, W, R, B, , h, c) -> Y, Y_h, Y_c                                  (two steps, one direction)
///   After:  x = X W' + b;  step(x[0], h, c) -> h1, c1;  step(x[1], h1, c1) -> h2, c2;  Y = [h1, h2], Y_h = h2, Y_c =
///   c2
std::vector<std::string> unroll(const onnx::NodeProto& node, Builder& builder);

}  // namespace mpq::graph::adjoint
