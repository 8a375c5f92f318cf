#pragma once

#include <string>
#include <vector>

#include "mpq/model.h"

namespace mpq::judge {

/// An output of the reference and the one of the other model it is compared with.
struct OutputPair {
  std::string reference;
  std::string quantized;
};

/// Outputs of equal name belong together; one whose name is missing goes with the output at its position.
/// Throws Error{kInvalidInput} when that leaves one without a partner.
std::vector<OutputPair> match_outputs(const std::vector<ValueInfo>& reference, const std::vector<ValueInfo>& quantized);

/// Those of the values that the model's main graph has.
std::vector<ValueInfo> known_values(const Model& model, const std::vector<ValueInfo>& values);

}  // namespace mpq::judge
