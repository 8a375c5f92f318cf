#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <onnx/onnx_pb.h>

namespace mpq::calibrate {

/// How a Conv node walks over its input: one entry per spatial axis.
struct ConvGeometry {
  std::vector<std::int64_t> kernel, strides, dilations;
  std::vector<std::int64_t> pads;  ///< begins, then ends; empty where auto_pad rules
  bool same_upper = false, same_lower = false;
  std::size_t groups = 1;
  bool operator==(const ConvGeometry&) const = default;
};

/// Reads the attributes of a Conv whose weight has this shape: [outputs, inputs / groups, kernel...].
ConvGeometry conv_geometry(const onnx::NodeProto& node, const std::vector<std::int64_t>& weight_shape);

/// The rows a convolution multiplies its kernels with ("im2col"), for one input [batch, channels, spatial...].
class Patches {
 public:
  /// False from valid() when the shape does not fit the geometry.
  Patches(const ConvGeometry& geometry, const std::vector<std::int64_t>& input_shape);
  bool valid() const { return valid_; }
  std::size_t positions() const { return positions_; }  ///< batch x output positions
  std::size_t columns() const { return group_channels_ * taps_; }

  /// Offsets within a channel's plane that the kernel's taps read at these positions; -1 for padding. The same for all
  /// groups.
  std::vector<std::ptrdiff_t> taps(std::span<const std::size_t> positions) const;
  /// Rows of `group` at these positions, one after the other, columns in the order of the stored kernel:
  /// (channel, kernel...). Padding gives zeros. `taps`: of the same positions.
  void gather(std::span<const float> input, std::size_t group, std::span<const std::size_t> positions,
              std::span<const std::ptrdiff_t> taps, std::vector<float>& rows) const;

 private:
  void tap_offsets(std::size_t position, std::vector<std::ptrdiff_t>& offsets) const;

  ConvGeometry geometry_;
  bool valid_ = false;
  std::vector<std::int64_t> extents_, outputs_, begins_;  // per spatial axis
  std::size_t channels_ = 0, group_channels_ = 0, plane_ = 1, taps_ = 1, positions_ = 0, per_sample_ = 1;
};

}  // namespace mpq::calibrate
