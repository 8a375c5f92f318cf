#include <cmath>

#include "encode/planes.h"

namespace mpq::encode {

// Opsets 7 to 13, whose additions know no 8-bit integers. Shown for 3 bits, planes of 2 and 1 bits:
//
//   Before: packed [3n/8] -> rows [2, n/8] and [1, n/8]
//
//   After:  high [2, n/8] -> digits [4,2,n/8] -> Mul 2 ---+
//           low  [1, n/8] -> digits [4,2,n/8] ------------+-> Add -> Sub 4
//
// where digits are, from opset 11 on, BitShift left (pushes the upper neighbours out of the byte) -> BitShift right ->
// Cast; and before, where nothing shifts bits,
//   x = Cast(rows);  Floor(x / 2^s) - 2^p Floor(x / 2^(s+p))
// which is exact, since every number in it is a multiple of a power of two below 2^8.
namespace {

constexpr std::int64_t kBitShift = 11;

std::string shifted_digits(FunctionBody& body, const Plane& plane, const std::string& rows) {
  const int spare = 8 - plane.bits;
  std::vector<std::uint8_t> up;
  for (const std::uint8_t down : plane.shifts) up.push_back(static_cast<std::uint8_t>(spare - down));
  std::string result =
      body.op("BitShift", {rows, body.constant_bytes(up, plane.shift_dims)}, {string_attribute("direction", "LEFT")});
  result = body.op("BitShift", {result, body.constant_bytes({static_cast<std::uint8_t>(spare)}, {})},
                   {string_attribute("direction", "RIGHT")});
  return body.cast(result, onnx::TensorProto::FLOAT);
}

std::string floor_of_scaled(FunctionBody& body, const Plane& plane, const std::string& value, int extra) {
  std::vector<float> factors;
  for (const std::uint8_t down : plane.shifts) factors.push_back(std::ldexp(1.0F, -(down + extra)));
  return body.op("Floor", {body.op("Mul", {value, body.constant_floats(factors, plane.shift_dims)})});
}

std::string divided_digits(FunctionBody& body, const Plane& plane, const std::string& rows) {
  const std::string value = body.cast(rows, onnx::TensorProto::FLOAT);
  const std::string upper = floor_of_scaled(body, plane, value, plane.bits);
  const std::string base = body.constant_floats({std::ldexp(1.0F, plane.bits)}, {});
  return body.op("Sub", {floor_of_scaled(body, plane, value, 0), body.op("Mul", {upper, base})});
}

std::string digits(FunctionBody& body, const Plane& plane, const std::string& rows) {
  const std::string result =
      body.opset() >= kBitShift ? shifted_digits(body, plane, rows) : divided_digits(body, plane, rows);
  if (plane.left == 0) return result;
  return body.op("Mul", {result, body.constant_floats({std::ldexp(1.0F, plane.left)}, {})});
}

}  // namespace

std::string unpack_floats(FunctionBody& body, const std::vector<Plane>& planes, const std::vector<std::string>& rows,
                          int bits) {
  std::string all = digits(body, planes[0], rows[0]);
  for (std::size_t i = 1; i < planes.size(); ++i) all = body.op("Add", {all, digits(body, planes[i], rows[i])});
  return body.op("Sub", {all, body.constant_floats({std::ldexp(1.0F, bits - 1)}, {})});
}

}  // namespace mpq::encode
