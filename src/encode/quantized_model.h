#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mpq/quantize.h"

namespace mpq {

struct QuantizedModel::Impl {
  Model model;
  Plan plan;
  std::vector<WrittenLayer> layers;
  std::int64_t bytes = 0;
  bool external = false;  ///< too large for one protobuf file
};

namespace encode {

/// Whether a model of so many bytes needs an external data file: protobuf files end at 2 GiB.
bool needs_external_data(const Model::Impl& impl);
/// Bytes of all files `save` will write. Where there is an external file its name stands in every tensor; it is taken
/// for "model.onnx.data" here.
std::int64_t bytes_of(const Model::Impl& impl, bool external);

}  // namespace encode
}  // namespace mpq
