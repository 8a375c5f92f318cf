#include "calibrate/patches.h"

#include <algorithm>
#include <string>

#include "graph/weight_roles.h"

namespace mpq::calibrate {

ConvGeometry conv_geometry(const onnx::NodeProto& node, const std::vector<std::int64_t>& weight_shape) {
  ConvGeometry geometry;
  geometry.kernel.assign(weight_shape.begin() + 2, weight_shape.end());
  const std::size_t axes = geometry.kernel.size();
  const auto per_axis = [&](const char* name) {
    std::vector<std::int64_t> values = graph::ints_attribute(node, name);
    return values.empty() ? std::vector<std::int64_t>(axes, 1) : values;
  };
  geometry.strides = per_axis("strides");
  geometry.dilations = per_axis("dilations");
  geometry.groups = static_cast<std::size_t>(std::max<std::int64_t>(graph::int_attribute(node, "group", 1), 1));
  const std::string automatic = graph::string_attribute(node, "auto_pad");
  geometry.same_upper = automatic == "SAME_UPPER";
  geometry.same_lower = automatic == "SAME_LOWER";
  if (automatic.empty() || automatic == "NOTSET") geometry.pads = graph::ints_attribute(node, "pads");
  if (geometry.pads.empty() && !geometry.same_upper && !geometry.same_lower) geometry.pads.assign(2 * axes, 0);
  return geometry;
}

Patches::Patches(const ConvGeometry& geometry, const std::vector<std::int64_t>& shape) : geometry_(geometry) {
  const std::size_t axes = geometry.kernel.size();
  if (shape.size() != axes + 2 || geometry.strides.size() != axes || geometry.dilations.size() != axes) return;
  if (!geometry.pads.empty() && geometry.pads.size() != 2 * axes) return;
  channels_ = static_cast<std::size_t>(shape[1]);
  if (geometry.groups == 0 || channels_ % geometry.groups != 0) return;
  group_channels_ = channels_ / geometry.groups;
  for (std::size_t a = 0; a < axes; ++a) {
    const std::int64_t extent = shape[a + 2], stride = geometry.strides[a];
    const std::int64_t reach = (geometry.kernel[a] - 1) * geometry.dilations[a] + 1;
    std::int64_t begin = 0, outputs = 0;
    if (geometry.pads.empty()) {  // ONNX Conv, auto_pad: output = ceil(input / stride), the odd one at the named end
      outputs = (extent + stride - 1) / stride;
      const std::int64_t total = std::max<std::int64_t>((outputs - 1) * stride + reach - extent, 0);
      begin = geometry.same_lower ? total - total / 2 : total / 2;
    } else {
      begin = geometry.pads[a];
      outputs = (extent + begin + geometry.pads[a + axes] - reach) / stride + 1;
    }
    if (extent <= 0 || stride <= 0 || outputs <= 0) return;
    extents_.push_back(extent);
    outputs_.push_back(outputs);
    begins_.push_back(begin);
    plane_ *= static_cast<std::size_t>(extent);
    taps_ *= static_cast<std::size_t>(geometry.kernel[a]);
    per_sample_ *= static_cast<std::size_t>(outputs);
  }
  positions_ = per_sample_ * static_cast<std::size_t>(shape[0]);
  valid_ = positions_ > 0;
}

void Patches::tap_offsets(std::size_t position, std::vector<std::ptrdiff_t>& offsets) const {
  offsets.assign(1, 0);
  std::vector<std::ptrdiff_t> finer;
  std::size_t rest = position, stride = per_sample_;
  for (std::size_t a = 0; a < extents_.size(); ++a) {
    stride /= static_cast<std::size_t>(outputs_[a]);
    const auto output = static_cast<std::int64_t>(rest / stride);
    rest %= stride;
    finer.clear();
    for (const std::ptrdiff_t offset : offsets) {
      for (std::int64_t tap = 0; tap < geometry_.kernel[a]; ++tap) {
        const std::int64_t at = output * geometry_.strides[a] - begins_[a] + tap * geometry_.dilations[a];
        const bool inside = offset >= 0 && at >= 0 && at < extents_[a];
        finer.push_back(inside ? offset * extents_[a] + at : -1);
      }
    }
    offsets.swap(finer);
  }
}

std::vector<std::ptrdiff_t> Patches::taps(std::span<const std::size_t> positions) const {
  std::vector<std::ptrdiff_t> result, offsets;
  result.reserve(positions.size() * taps_);
  for (const std::size_t position : positions) {
    tap_offsets(position % per_sample_, offsets);
    result.insert(result.end(), offsets.begin(), offsets.end());
  }
  return result;
}

void Patches::gather(std::span<const float> input, std::size_t group, std::span<const std::size_t> positions,
                     std::span<const std::ptrdiff_t> taps, std::vector<float>& rows) const {
  rows.resize(positions.size() * columns());
  float* out = rows.data();
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const auto offsets = taps.subspan(i * taps_, taps_);
    const std::size_t first_channel = positions[i] / per_sample_ * channels_ + group * group_channels_;
    for (std::size_t c = 0; c < group_channels_; ++c) {
      const float* plane = input.data() + (first_channel + c) * plane_;
      for (const std::ptrdiff_t offset : offsets) *out++ = offset < 0 ? 0.0F : plane[offset];
    }
  }
}

}  // namespace mpq::calibrate
