#pragma once

#include <string>
#include <vector>

#include "mpq/layer.h"

#include "graph/model_impl.h"

namespace mpq::encode {

/// Whether an integer kernel can run a layer, as far as the graph around its weight decides.
struct IntegerSite {
  bool possible = false;
  bool transposed = false;   ///< Gemm with transB = 1: the weight is to be stored transposed
  std::string reason = {};   ///< where not possible: one sentence
  bool activations = false;  ///< its activations are integers too: the weight keeps its layout
  bool equalized = false;    ///< it reads an input that was divided channel by channel (graph::scale_inputs)
  bool lookup = false;       ///< a Gather: rows of integers are looked up and become floats afterwards
};

/// Looks at every layer of the model. Parallel to Model::layers().
std::vector<IntegerSite> integer_sites(const Model& model);

/// Whether the product may read integers that are made as they come. It has one scale per column: a block's scale would
/// belong to a part of the sum.
bool takes_dynamic_input(const Layer& layer, const IntegerSite& site, const Candidate& candidate);

/// Sites of a model whose layers shall all run in floats.
std::vector<IntegerSite> float_sites(const Model& model);

/// Sets transB = 0 in the Gemm that reads `weight`.
void clear_transposition(onnx::GraphProto& graph, const std::string& weight);

}  // namespace mpq::encode
