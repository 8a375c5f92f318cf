#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mpq/layer.h"

namespace mpq {

/// A quantizable layer of this shape, as the loader would describe it.
inline Layer test_layer(std::vector<std::int64_t> shape, std::vector<int> channel_axes, int block_axis = -1,
                        const std::string& dtype = "float32") {
  Layer layer;
  layer.name = "layer";
  layer.op = "MatMul";
  layer.weight = "layer.weight";
  layer.dtype = dtype;
  layer.parameters = 1;
  for (const std::int64_t extent : shape) layer.parameters *= extent;
  layer.shape = std::move(shape);
  layer.channel_axes = std::move(channel_axes);
  layer.block_axis = block_axis;
  return layer;
}

inline Candidate grid(int bits, int block = 0) { return {bits, "grid", block}; }

}  // namespace mpq
