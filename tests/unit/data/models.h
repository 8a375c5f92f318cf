#pragma once

#include <string>
#include <vector>

#include "../analyze/fixtures.h"

namespace mpq::data::testing {

/// A model around `graph` (in ONNX text form, opset 17) with random float weights.
inline Model model_with(const std::string& graph, const std::vector<testing_models::WeightSpec>& weights = {}) {
  return testing_models::load(testing_models::parse(R"(<ir_version: 8, opset_import: ["" : 17]> )" + graph, weights));
}

/// One input x of two numbers per sample.
inline Model pair_model(const std::string& shape = "N,2") {
  return model_with("g (float[" + shape + "] x) => (float[" + shape + "] y) { y = Identity(x) }");
}

/// Inputs `image` [N, 2] of floats and `ids` [N] of int64.
inline Model two_input_model() {
  return model_with(
      "g (float[N,2] image, int64[N] ids) => (float[N,2] y, int64[N] z) "
      "{ y = Identity(image)  z = Identity(ids) }");
}

}  // namespace mpq::data::testing
