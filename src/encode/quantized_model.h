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

/// Bytes up to which what was made of a model with external data goes into one file all the same.
inline constexpr std::int64_t kMostInsideBytes = std::int64_t{64} << 20;

/// Whether a model goes into an external data file: protobuf files end at 2 GiB; and what was made of a model with
/// external data should, like it, be read by mapping it, unless it has become small.
bool needs_external_data(const Model::Impl& impl);
/// Bytes of all files `save` will write. Where there is an external file its name stands in every tensor; it is taken
/// for "model.onnx.data" here.
std::int64_t bytes_of(const Model::Impl& impl, bool external);

}  // namespace encode
}  // namespace mpq
