#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "mpq/model.h"

#include "graph/cut.h"

namespace mpq::calibrate {

/// The constant that takes up a constant error of node `node` of the run form, a Conv, Gemm or MatMul with `outputs`
/// outputs, without a byte more: its own bias, or the operand of the one Add that reads its result. Only this node
/// reads it, and its numbers stand in a field whose size does not depend on them. "" where there is none.
std::string correctable_bias(const Model& model, const graph::RunForm& form, int node, std::size_t outputs);

/// The numbers of an initializer of the run form, float16 or float32.
std::vector<float> bias_values(const graph::RunForm& form, const std::string& name);

}  // namespace mpq::calibrate
