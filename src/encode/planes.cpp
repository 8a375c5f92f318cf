#include "encode/planes.h"

#include <cmath>

#include "quantize/packing.h"

namespace mpq::encode {

namespace {

constexpr std::int64_t kByteAddition = 14;  // first opset whose Add and Sub take 8-bit integers

/// How the eight element rows are counted: by the highest plane's own split into shifts and rows, or, where a plane of
/// two bits follows one of four, bit by bit.
std::vector<std::int64_t> row_axes(const std::vector<int>& widths) {
  const bool four_then_two = widths.size() > 1 && widths[0] == 4 && widths[1] == 2;
  if (four_then_two) return {2, 2, 2};
  return {8 / widths[0], widths[0]};
}

Plane plane_view(int bits, int left, const std::vector<std::int64_t>& axes) {
  Plane plane{bits, left, {}, {}, {}};
  std::vector<std::int64_t> strides(axes.size(), 1);
  for (std::size_t i = axes.size(); i-- > 1;) strides[i - 1] = strides[i] * axes[i];
  std::vector<std::int64_t> rows_shape;
  plane.shifts = {0};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const bool shifts = strides[i] >= bits;
    plane.shift_dims.push_back(shifts ? axes[i] : 1);
    if (!shifts) {
      rows_shape.push_back(axes[i]);
      continue;
    }
    std::vector<std::uint8_t> longer;
    for (const std::uint8_t shift : plane.shifts) {
      for (std::int64_t index = 0; index < axes[i]; ++index) {
        longer.push_back(static_cast<std::uint8_t>(shift + index * strides[i]));
      }
    }
    plane.shifts = longer;
  }
  plane.shift_dims.push_back(1);
  if (rows_shape.size() > 1) plane.rows_shape = rows_shape;
  return plane;
}

}  // namespace

std::vector<Plane> plane_views(int bits) {
  const std::vector<int> widths = quant::planes_of(bits);
  const std::vector<std::int64_t> axes = row_axes(widths);
  std::vector<Plane> planes;
  int left = bits;
  for (const int width : widths) {
    left -= width;
    planes.push_back(plane_view(width, left, axes));
  }
  return planes;
}

Unpacked unpacked_type(Dialect dialect) {
  return dialect.opset >= kByteAddition && !dialect.portable ? Unpacked::kInt8 : Unpacked::kFloat;
}

std::string unpack_codes(FunctionBody& body, const std::string& packed, int bits, Unpacked as) {
  const std::string rows = body.reshape(packed, body.constant({bits, -1}));
  return as == Unpacked::kInt8 ? unpack_bytes(body, rows, bits) : unpack_matrix(body, rows, bits);
}

std::string unpack(FunctionBody& body, const std::string& packed, int bits, Unpacked as) {
  const std::string codes = unpack_codes(body, packed, bits, as);
  if (as == Unpacked::kFloat) {
    return body.op("Sub", {codes, body.constant_floats({std::ldexp(1.0F, bits - 1)}, {})});
  }
  const auto half_range = static_cast<std::uint8_t>(1 << (bits - 1));
  return body.op("Sub", {body.cast(codes, onnx::TensorProto::INT8),
                         body.constant_bytes({half_range}, {}, onnx::TensorProto::INT8)});
}

}  // namespace mpq::encode
