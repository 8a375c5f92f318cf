#include <algorithm>

#include "mpq/error.h"

#include "quantize/grid.h"

namespace mpq::quant {

namespace {

[[noreturn]] void refuse(const Layer& layer, const Candidate& candidate, const std::string& why) {
  throw Error(ErrorCode::kInternal, "The layer cannot be laid out as " + to_string(candidate) + ": " + why + ".",
              layer.name);
}

void check_axes(const Layer& layer, const Candidate& candidate) {
  const int rank = static_cast<int>(layer.shape.size());
  for (const int axis : layer.channel_axes) {
    if (axis < 0 || axis >= rank) refuse(layer, candidate, "channel axis " + std::to_string(axis) + " does not exist");
  }
  if (candidate.block == 0) return;
  const int axis = layer.block_axis;
  if (axis < 0 || axis >= rank) refuse(layer, candidate, "it has no axis along which blocks may lie");
  if (std::count(layer.channel_axes.begin(), layer.channel_axes.end(), axis) != 0) {
    refuse(layer, candidate, "its block axis is a channel axis");
  }
  const std::int64_t extent = layer.shape[static_cast<std::size_t>(axis)];
  if (candidate.block < 0 || extent % candidate.block != 0) {
    refuse(layer, candidate, "its block axis has " + std::to_string(extent) + " weights, no multiple of the block");
  }
}

}  // namespace

std::int64_t ScaleLayout::scale_count() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : scale_shape) count *= extent;
  return count;
}

ScaleLayout scale_layout(const Layer& layer, const Candidate& candidate) {
  if (!candidate.has_scales()) refuse(layer, candidate, "only grids and trellises have scales");
  check_axes(layer, candidate);
  if (candidate.has_row_widths() && candidate.block != 0) refuse(layer, candidate, "rows with widths have no blocks");
  ScaleLayout layout;
  for (int axis = 0; axis < static_cast<int>(layer.shape.size()); ++axis) {
    const std::int64_t extent = layer.shape[static_cast<std::size_t>(axis)];
    const bool channel = std::count(layer.channel_axes.begin(), layer.channel_axes.end(), axis) != 0;
    if (candidate.block > 0 && axis == layer.block_axis) {
      layout.view_shape.insert(layout.view_shape.end(), {extent / candidate.block, candidate.block});
      layout.scale_shape.insert(layout.scale_shape.end(), {extent / candidate.block, 1});
    } else {
      layout.view_shape.push_back(extent);
      layout.scale_shape.push_back(channel ? extent : 1);
    }
  }
  return layout;
}

std::vector<std::uint8_t> widths_of_rows(const Layer& layer, const Candidate& candidate, std::size_t rows) {
  if (!candidate.has_row_widths()) return std::vector<std::uint8_t>(rows, static_cast<std::uint8_t>(candidate.bits));
  if (candidate.row_bits.size() == rows) return candidate.row_bits;
  refuse(layer, candidate,
         "it has " + std::to_string(candidate.row_bits.size()) + " widths for " + std::to_string(rows) + " rows");
}

}  // namespace mpq::quant
