#include "encode/planes.h"

namespace mpq::encode {

// Opset 14 and later, all in 8-bit integers. Shown for 3 bits, planes of 2 and 1 bits:
//
//   Before: rows [3, n/8]
//
//   After:  rows -> Split [2, n/8], [1, n/8]
//           high [2, n/8] -> BitShift right [4,1,1] -> BitwiseAnd 3 -> BitShift left 1 ---+
//           low  [1, n/8] -> BitShift right [4,2,1] -> BitwiseAnd 1 -----------------------+-> BitwiseOr [4,2,n/8]
//           (signed: -> Cast int8 -> Sub 4)
//
// Opsets 14 to 17 lack the bitwise operators: a left shift that pushes the upper neighbours out of the byte takes the
// place of BitwiseAnd, and Add that of BitwiseOr.
namespace {

constexpr std::int64_t kBitwise = 18;

std::string isolate(FunctionBody& body, const Plane& plane, const std::string& rows) {
  std::string result;
  if (body.opset() >= kBitwise) {
    const auto mask = static_cast<std::uint8_t>((1 << plane.bits) - 1);
    result = body.bit_shift(rows, body.constant_bytes(plane.shifts, plane.shift_dims), "RIGHT");
    result = body.op("BitwiseAnd", {result, body.constant_bytes({mask}, {})});
  } else {
    const int spare = 8 - plane.bits;
    std::vector<std::uint8_t> up;
    for (const std::uint8_t down : plane.shifts) up.push_back(static_cast<std::uint8_t>(spare - down));
    result = body.bit_shift(rows, body.constant_bytes(up, plane.shift_dims), "LEFT");
    result = body.bit_shift(result, body.constant_bytes({static_cast<std::uint8_t>(spare)}, {}), "RIGHT");
  }
  if (plane.left == 0) return result;
  return body.bit_shift(result, body.constant_bytes({static_cast<std::uint8_t>(plane.left)}, {}), "LEFT");
}

/// The rows of each plane, in a shape that broadcasts with its shifts.
std::vector<std::string> plane_rows(FunctionBody& body, const std::string& rows, const std::vector<Plane>& planes) {
  std::vector<std::string> parts = {rows};
  if (planes.size() > 1) {
    std::vector<std::int64_t> heights;
    for (const Plane& plane : planes) heights.push_back(plane.bits);
    parts = body.split(rows, heights);
  }
  for (std::size_t i = 0; i < planes.size(); ++i) {
    if (planes[i].rows_shape.empty()) continue;
    std::vector<std::int64_t> shape = planes[i].rows_shape;
    shape.push_back(-1);
    parts[i] = body.reshape(parts[i], body.constant(shape));
  }
  return parts;
}

}  // namespace

std::string unpack_bytes(FunctionBody& body, const std::string& rows, int bits) {
  const std::vector<Plane> planes = plane_views(bits);
  const std::vector<std::string> parts = plane_rows(body, rows, planes);
  const char* join = body.opset() >= kBitwise ? "BitwiseOr" : "Add";
  std::string all = isolate(body, planes[0], parts[0]);
  for (std::size_t i = 1; i < planes.size(); ++i) all = body.op(join, {all, isolate(body, planes[i], parts[i])});
  return all;
}

}  // namespace mpq::encode
