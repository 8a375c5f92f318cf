#pragma once

#include <string>
#include <vector>

#include "graph/adjoint/builder.h"

namespace mpq::graph::adjoint {

/// Whether `write_contrib` can write the node in ONNX's own operators, given the shapes of what it reads: ONNX
/// Runtime's fused operators, which optimized transformers are made of (SkipLayerNormalization, Attention, BiasGelu,
/// FusedConv).
bool can_write_contrib(const onnx::NodeProto& node, const FactsMap& facts);

/// Appends what computes the same; the value of each output, "" for one that nobody reads.
///   Before: BiasGelu(x, b) -> y      After: s = x + b;  y = s (1 + Erf(s / sqrt 2)) / 2
/// Source: the operators' definitions in ONNX Runtime's docs/ContribOperators.md.
std::vector<std::string> write_contrib(const onnx::NodeProto& node, Builder& builder);

}  // namespace mpq::graph::adjoint
