#pragma once

#include "graph/model_impl.h"

namespace mpq::graph {

/// Fills `layers`, `sites` and `quantized_parts` of an Impl whose `proto` is set (in skeleton form).
///
/// A weight is a constant floating-point tensor of rank 2 or more that enters an operator's weight input, directly or
/// through operators whose other inputs are constant as well. It is found by structure; names play no part.
/// Other constant tensors of rank 2 or more and at least kFewWeights elements are listed as skipped, with the reason.
/// Layers stand in the order of the nodes that use them.
void find_layers(Model::Impl& impl);

/// Weights with fewer elements than this are left as they are: the scale, the names and the nodes that a quantized
/// weight needs would eat up what its bits save.
inline constexpr std::int64_t kFewWeights = 128;

}  // namespace mpq::graph
