#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "mpq/model.h"
#include "mpq/samples.h"

namespace mpq::data {

/// Files with this extension (lower case, with its dot) right inside `folder`, in byte order of their names.
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder, const std::string& extension);

/// A folder of .npy files. When the files bear the names of the model's inputs (a `/` in a name written as `_`), each
/// holds all samples of that input; else, for a model with one input, each file is one sample, in byte order of names.
std::vector<Feed> feeds_of_npy_folder(const std::filesystem::path& folder, const Model& model, std::int64_t limit);

/// True when the folder holds ONNX test data: test_data_set_* folders, or is one itself (input_0.pb).
bool holds_tensor_sets(const std::filesystem::path& folder);

/// ONNX's test data format: test_data_set_<n>/input_<i>.pb, one TensorProto per input in the order of the graph's
/// inputs.
std::vector<Feed> feeds_of_tensor_sets(const std::filesystem::path& folder, const Model& model, std::int64_t limit);

}  // namespace mpq::data
