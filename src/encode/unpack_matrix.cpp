#include <cmath>

#include "encode/planes.h"
#include "quantize/packing.h"

namespace mpq::encode {

// Opsets 7 to 13, whose additions know no 8-bit integers, and runtimes that lack those additions: the same in floats,
// with few nodes (each one is folded by itself when the model is loaded, which small models feel). Shown for 3 bits,
// planes of 2 and 1 bits:
//
//   Before: rows [3, n/8]
//
//   After:  rows -> Gather [16, n/8] -> BitShift right [16,1] -> Cast float -> MatMul(D [8,16], .) [8, n/8]
//           (signed: -> Sub 4)
//
// Below opset 11, which brought BitShift: Cast float -> Mul [16,1] -> Floor instead.
//
// Element row r of a plane of p bits is the digit of base 2^p at position r div p of byte row r mod p:
//   digit_r = F_r - 2^p F_(r+p),   F_r = floor(byte row (r mod p) / 2^(p (r div p))),   F_r = 0 for r >= 8.
// Gather and the shift make the F of every plane, eight rows each; D sums digits, times 2^left, over the planes. All
// numbers are integers below 2^8 times powers of two, so that every step is exact.
namespace {

struct DigitRows {
  std::vector<std::int64_t> sources;      ///< byte row each F is made of
  std::vector<std::uint8_t> shifts;       ///< to the right, then
  std::vector<std::uint8_t> differences;  ///< D, [8, rows], as int8
};

DigitRows digit_rows(int bits) {
  constexpr int kRows = 8;
  const std::vector<int> widths = quant::planes_of(bits);
  const std::size_t columns = kRows * widths.size();
  DigitRows digits;
  digits.differences.assign(kRows * columns, 0);
  int above = 0;  // bits of the planes before, which is also how many byte rows they take
  for (std::size_t plane = 0; plane < widths.size(); ++plane) {
    const int width = widths[plane];
    const int left = bits - above - width;
    for (int row = 0; row < kRows; ++row) {
      digits.sources.push_back(above + row % width);
      digits.shifts.push_back(static_cast<std::uint8_t>(width * (row / width)));
      std::uint8_t* line = digits.differences.data() + static_cast<std::size_t>(row) * columns + plane * kRows;
      line[row] = static_cast<std::uint8_t>(1 << left);
      if (row + width < kRows) line[row + width] = static_cast<std::uint8_t>(-(1 << (left + width)));
    }
    above += width;
  }
  return digits;
}

/// The byte rows, shifted, as floats.
std::string shifted(FunctionBody& body, const std::string& bytes, const std::vector<std::uint8_t>& shifts) {
  constexpr std::int64_t kBitShift = 11;
  const auto count = static_cast<std::int64_t>(shifts.size());
  if (body.opset() >= kBitShift) {
    const std::string places = body.constant_bytes(shifts, {count, 1});
    return body.cast(body.op("BitShift", {bytes, places}, {string_attribute("direction", "RIGHT")}),
                     onnx::TensorProto::FLOAT);
  }
  std::vector<float> factors;
  for (const std::uint8_t places : shifts) factors.push_back(std::ldexp(1.0F, -places));
  const std::string floats = body.cast(bytes, onnx::TensorProto::FLOAT);
  return body.op("Floor", {body.op("Mul", {floats, body.constant_floats(factors, {count, 1})})});
}

}  // namespace

std::string unpack_matrix(FunctionBody& body, const std::string& rows, int bits) {
  const DigitRows digits = digit_rows(bits);
  const auto count = static_cast<std::int64_t>(digits.sources.size());
  const std::string floors = shifted(body, body.op("Gather", {rows, body.constant(digits.sources)}), digits.shifts);
  return body.op("MatMul", {body.constant_small_floats(digits.differences, {8, count}), floors});
}

}  // namespace mpq::encode
