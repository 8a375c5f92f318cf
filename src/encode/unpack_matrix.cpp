#include <algorithm>
#include <cmath>

#include "encode/planes.h"
#include "quantize/packing.h"

namespace mpq::encode {

// Opsets 7 to 13, whose additions know no 8-bit integers, and runtimes that lack those additions: the additions are
// those of one product of matrices, with few nodes (each one is folded by itself when the model is loaded, which small
// models feel). Shown for 3 bits, planes of 2 and 1 bits:
//
//   Before: rows [3, n/8]
//
//   After:  rows -> Gather [16, n/8] -> BitShift right [16,1] -> MatMulInteger(D [8,16], .) [8, n/8] -> Cast float
//           (signed: -> Sub 4)
//
// Below opset 11, which brought BitShift: Cast float -> Mul [16,1] -> Floor -> MatMul instead.
//
// Element row r of a plane of p bits is the digit of base 2^p at position r div p of byte row r mod p:
//   digit_r = F_r - 2^p F_(r+p),   F_r = floor(byte row (r mod p) / 2^(p (r div p))),   F_r = 0 for r >= 8.
// Gather and the shift make the F of every plane, eight rows each; D sums digits, times 2^left, over the planes. All
// numbers are integers below 2^8 times powers of two, so that every step is exact.

bool has_bit_shift(const FunctionBody& body) {
  constexpr std::int64_t kBitShift = 11;
  return body.opset() >= kBitShift;
}

DigitRows digit_rows(int bits) {
  constexpr int kRows = 8;
  const std::vector<int> widths = quant::planes_of(bits);
  const std::size_t columns = kRows * widths.size();
  DigitRows digits;
  digits.sums.assign(kRows, std::vector<int>(columns, 0));
  int above = 0;  // bits of the planes before, which is also how many byte rows they take
  for (std::size_t plane = 0; plane < widths.size(); ++plane) {
    const int width = widths[plane];
    const int left = bits - above - width;
    for (int row = 0; row < kRows; ++row) {
      digits.sources.push_back(above + row % width);
      digits.shifts.push_back(static_cast<std::uint8_t>(width * (row / width)));
      int* line = digits.sums[static_cast<std::size_t>(row)].data() + plane * kRows;
      line[row] = 1 << left;
      if (row + width < kRows) line[row + width] = -(1 << (left + width));
    }
    above += width;
  }
  return digits;
}

std::string shifted_rows(FunctionBody& body, const std::string& rows, const DigitRows& digits) {
  const auto count = static_cast<std::int64_t>(digits.shifts.size());
  const std::string bytes = body.op("Gather", {rows, body.constant(digits.sources)});
  if (has_bit_shift(body)) {
    const std::string places = body.constant_bytes(digits.shifts, {count, 1});
    return body.bit_shift(bytes, places, "RIGHT");
  }
  std::vector<float> factors;
  for (const std::uint8_t places : digits.shifts) factors.push_back(std::ldexp(1.0F, -places));
  const std::string floats = body.cast(bytes, onnx::TensorProto::FLOAT);
  return body.op("Floor", {body.op("Mul", {floats, body.constant_floats(factors, {count, 1})})});
}

std::string lowest_bits(FunctionBody& body, const std::string& values) {
  constexpr std::uint8_t kTop = 7;
  if (has_bit_shift(body)) {
    const std::string top = body.constant_bytes({kTop}, {});
    return body.bit_shift(body.bit_shift(values, top, "LEFT"), top, "RIGHT");
  }
  const std::string halves = body.op("Floor", {body.op("Mul", {values, body.constant_floats({.5F}, {})})});
  return body.op("Sub", {values, body.op("Add", {halves, halves})});
}

std::string weighted_sums(FunctionBody& body, const std::vector<std::vector<int>>& sums, const std::string& values) {
  int lowest = 0;
  for (const std::vector<int>& line : sums) lowest = std::min(lowest, *std::min_element(line.begin(), line.end()));
  const auto columns = static_cast<std::int64_t>(sums.front().size());
  const std::vector<std::int64_t> dims = {static_cast<std::int64_t>(sums.size()), columns};
  if (has_bit_shift(body)) {
    std::vector<std::uint8_t> factors;
    for (const std::vector<int>& line : sums) {
      for (const int factor : line) factors.push_back(static_cast<std::uint8_t>(factor - lowest));
    }
    const std::string zero = body.constant_bytes({static_cast<std::uint8_t>(-lowest)}, {});
    return body.op("MatMulInteger", {body.constant_bytes(factors, dims), values, zero});
  }
  std::vector<float> factors;
  for (const std::vector<int>& line : sums) factors.insert(factors.end(), line.begin(), line.end());
  return body.op("MatMul", {body.constant_floats(factors, dims), values});
}

std::string unpack_matrix(FunctionBody& body, const std::string& rows, int bits) {
  const DigitRows digits = digit_rows(bits);
  const std::string codes = weighted_sums(body, digits.sums, shifted_rows(body, rows, digits));
  return has_bit_shift(body) ? body.cast(codes, onnx::TensorProto::FLOAT) : codes;
}

}  // namespace mpq::encode
