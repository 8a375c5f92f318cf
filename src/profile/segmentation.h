#pragma once

#include <set>
#include <string>
#include <vector>

#include "mpq/model.h"
#include "mpq/profile.h"

#include "graph/cut.h"

namespace mpq::profiling {

/// A network divided: who computes what, and what crosses. Shapes and bytes of the tensors are not known yet.
struct Segmentation {
  std::vector<Segment> segments;
  std::vector<BoundaryTensor> tensors;
};

/// Divides a network into segments that are worth being placed on their own.
///  - No cut goes through a kernel: a value that the runtime fuses away (is not in `kept`; runtime/kept_values.h) has
///    its producer and its readers in one segment. An empty `kept` forbids nothing.
///  - Every heavy operator (products, convolutions, recurrences, bodies) that is not fused with another begins a
///    segment of its own; light ones go with what they follow.
///  - An operator that joins independent branches begins a segment too, so that the branches can run at the same time.
/// Nodes of constants, and DequantizeLinear of activations, belong to no segment: they go along wherever they are read,
/// so that what crosses between segments is the quantized tensor.
Segmentation segmentation(const Model& model, const graph::RunForm& form, const std::set<std::string>& kept);

}  // namespace mpq::profiling
