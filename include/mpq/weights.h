#pragma once

#include <string>
#include <vector>

#include "mpq/model.h"
#include "mpq/tensor.h"

namespace mpq {

/// A weight as it stands in a model that mpq wrote.
struct StoredWeight {
  std::string name;      ///< of the value the model's operators read
  std::string function;  ///< what unpacks it: "Unpack3bit", "Unpack4bitTrellis", "Cast" for half floats
  Tensor value;          ///< float32: bit for bit what a runtime folds, before any cast to the layer's own type
};

/// Reads the weights of a model that mpq wrote back from their packed form, in the file's order; none for any other
/// model. The counterpart of writing, made of neither ONNX Runtime nor the functions in the file.
/// Throws Error{kInvalidInput} where the file contradicts itself.
std::vector<StoredWeight> stored_weights(const Model& model);

/// Writes them into a folder, one NAME.npy each (characters other than letters, digits, '.', '_' and '-' become '_').
/// Returns how many. Throws Error{kOutput}, also for a file that exists unless `force`.
std::size_t dump_weights(const Model& model, const std::string& folder, bool force);

}  // namespace mpq
