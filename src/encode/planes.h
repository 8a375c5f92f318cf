#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "encode/function_body.h"

namespace mpq::encode {

/// One bit plane of quantize/packing.h, seen as an array whose broadcast shift yields all elements in order.
struct Plane {
  int bits = 0;  ///< p: bits of each element this plane holds; it has p rows of n/8 bytes
  int left = 0;  ///< bits of the planes that follow: what this plane's bits are shifted up by
  std::vector<std::int64_t>
      rows_shape;  ///< the plane's rows before the byte axis; empty where [p, n/8] serves as it is
  std::vector<std::int64_t> shift_dims;  ///< shape of `shifts`, the byte axis (extent 1) included
  std::vector<std::uint8_t> shifts;      ///< right shifts that bring an element to the lowest bits
};

/// The planes of a width, in the order they are stored. Shifted, all of them broadcast to one shape [..., n/8] whose
/// C order is the order of the weights: element row r (of 8, each n/8 long) lies in row r mod p of a plane, p * (r div
/// p) bits up, and the axes before the byte axis count r.
std::vector<Plane> plane_views(int bits);

/// Bits that say which of a layer's widths a row has.
inline constexpr int kRowClassBits = 2;

/// Element type of unpacked integers.
enum class Unpacked { kInt8, kFloat };

/// int8 from opset 14 on, where 8-bit additions are standard; float below, and where the file is for runtimes that lack
/// those additions all the same.
Unpacked unpacked_type(Dialect dialect);

/// Writes the nodes that turn the flat uint8 value `packed` into the signed integers it holds, in the order of the
/// weights but in no particular shape. `as`: see unpacked_type.
std::string unpack(FunctionBody& body, const std::string& packed, int bits, Unpacked as);

/// The same without the sign: value + 2^(bits - 1), as uint8 or float.
std::string unpack_codes(FunctionBody& body, const std::string& packed, int bits, Unpacked as);

/// The two ways to do that, from the packed bytes as rows [bits, n/8].
std::string unpack_bytes(FunctionBody& body, const std::string& rows, int bits);   // kInt8
std::string unpack_matrix(FunctionBody& body, const std::string& rows, int bits);  // kFloat

/// What unpack_matrix does in steps: the packed rows, shifted, of which sums are the codes.
struct DigitRows {
  std::vector<std::int64_t> sources;   ///< packed row each shifted one is made of; the lowest plane's eight come last
  std::vector<std::uint8_t> shifts;    ///< to the right
  std::vector<std::vector<int>> sums;  ///< codes [8, n/8] as sums [8, shifted rows] of them
};

DigitRows digit_rows(int bits);
bool has_bit_shift(const FunctionBody& body);  ///< opset 11 and later
/// uint8 [shifted rows, n/8]; below opset 11 float, here and in what follows.
std::string shifted_rows(FunctionBody& body, const std::string& rows, const DigitRows& digits);
std::string lowest_bits(FunctionBody& body, const std::string& values);
/// `sums` [m, k], greatest and least at most 255 apart, times values [k, n/8]: int32 [m, n/8].
std::string weighted_sums(FunctionBody& body, const std::vector<std::vector<int>>& sums, const std::string& values);

}  // namespace mpq::encode
