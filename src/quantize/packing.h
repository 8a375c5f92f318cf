#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mpq::quant {

/// Bit planes of a width: 3 = {2, 1}, 5 = {4, 1}, 6 = {4, 2}, 7 = {4, 2, 1}; 2, 4 and 8 are one plane of their own.
/// High bits come first: value + 2^(b-1) = plane0 << (b - p0) | plane1 << ... .
std::vector<int> planes_of(int bits);

/// Packs signed values of `bits` (2..8) as unsigned value + 2^(bits-1), one plane after the other.
/// n is padded with zeros to a multiple of 8: u = n / 8 bytes per bit of plane. In a plane of p bits (m = u * p bytes)
/// byte j holds elements j, j + m, j + 2m, ... from the low bits up, so unpacking is one broadcast shift.
std::vector<std::uint8_t> pack(std::span<const std::int8_t> values, int bits);
std::vector<std::int8_t> unpack(std::span<const std::uint8_t> packed, int bits, std::size_t count);

/// Bytes pack() returns for `count` values.
std::int64_t packed_bytes(std::int64_t count, int bits);

}  // namespace mpq::quant
