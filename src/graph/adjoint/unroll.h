#pragma once

#include "graph/adjoint/builder.h"
#include "graph/cut.h"

namespace mpq::graph::adjoint {

/// The run form with every LSTM, GRU and RNN of the main graph written out step by step in operators that have rules:
///
///   Before: LSTM(X, W, R, B, , h, c) -> Y, Y_h, Y_c                                  (two steps, one direction)
///   After:  x = X W' + b;  step(x[0], h, c) -> h1, c1;  step(x[1], h1, c1) -> h2, c2;  Y = [h1, h2], Y_h = h2, Y_c =
///   c2
///
/// `facts` gives the shapes, which the result is written for. Nodes with peepholes, clipping, coupled gates, a
/// batch-first layout or activations other than the default ones stay, and those of more than 512 steps (of all
/// directions together) too, since a graph of so many nodes takes longer to load than reruns take. Shares its index
/// with `form` when nothing was written out.
RunForm unrolled(const RunForm& form, const FactsMap& facts);

}  // namespace mpq::graph::adjoint
