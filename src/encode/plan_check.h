#pragma once

#include <cstddef>
#include <vector>

#include "mpq/model.h"
#include "mpq/plan.h"

namespace mpq::encode {

/// Indices of the layers that can be quantized, in the model's order.
std::vector<std::size_t> quantizable_layers(const Model& model);

/// Whether a file can store the layer's rows in widths of their own: several rows of several weights, and the operators
/// that put them in order (TopK with `largest`, opset 11).
bool rows_may_differ(const Layer& layer, std::int64_t opset);

/// Whether the integers of a grid, a trellis or rows stand packed in a file of that opset, rather than as a tensor of
/// their type.
bool stands_packed(const Candidate& candidate, std::int64_t opset);

/// True for candidates under which the layer stays as it stands in the file.
bool leaves_unchanged(const Layer& layer, const Candidate& candidate);

/// The plan's candidate for every quantizable layer (parallel to quantizable_layers). Throws Error{kInvalidInput} when
/// plan and model do not belong together.
std::vector<Candidate> planned_candidates(const Model& model, const Plan& plan);

}  // namespace mpq::encode
