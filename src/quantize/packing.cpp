#include "quantize/packing.h"

#include "mpq/error.h"

namespace mpq::quant {

namespace {

constexpr std::size_t kGroup = 8;  // values are padded to whole groups, so every plane is whole bytes

void check_bits(int bits) {
  if (bits < 2 || bits > 8) {
    throw Error(ErrorCode::kInternal, "Packing was asked for " + std::to_string(bits) + " bits; it knows 2 to 8.");
  }
}

std::size_t padded_count(std::size_t count) { return (count + kGroup - 1) / kGroup * kGroup; }

/// Value of one plane: `width` bits of (value + offset), starting at bit `shift`.
struct Plane {
  int width;
  int shift;
};

std::vector<Plane> plane_layout(int bits) {
  std::vector<Plane> planes;
  int left = bits;
  for (const int width : planes_of(bits)) {
    left -= width;
    planes.push_back({width, left});
  }
  return planes;
}

}  // namespace

std::vector<int> planes_of(int bits) {
  check_bits(bits);
  std::vector<int> planes;
  for (const int width : {8, 4, 2, 1}) {
    if ((bits & width) != 0) planes.push_back(width);
  }
  return planes;
}

std::int64_t packed_bytes(std::int64_t count, int bits) {
  check_bits(bits);
  return (count + 7) / 8 * bits;
}

std::vector<std::uint8_t> pack(std::span<const std::int8_t> values, int bits) {
  const std::size_t padded = padded_count(values.size());
  const int offset = 1 << (bits - 1);
  std::vector<std::uint8_t> packed;
  packed.reserve(static_cast<std::size_t>(packed_bytes(static_cast<std::int64_t>(values.size()), bits)));
  for (const auto [width, shift] : plane_layout(bits)) {
    const std::size_t bytes = padded / kGroup * static_cast<std::size_t>(width);
    const unsigned mask = (1U << width) - 1U;
    for (std::size_t j = 0; j < bytes; ++j) {
      unsigned byte = 0;
      int position = 0;
      for (std::size_t i = j; i < padded; i += bytes, position += width) {
        if (i >= values.size()) break;  // padding is zero bits
        const auto unsigned_value = static_cast<unsigned>(values[i] + offset);
        byte |= ((unsigned_value >> shift) & mask) << position;
      }
      packed.push_back(static_cast<std::uint8_t>(byte));
    }
  }
  return packed;
}

std::vector<std::int8_t> unpack(std::span<const std::uint8_t> packed, int bits, std::size_t count) {
  const std::size_t padded = padded_count(count);
  const auto expected = static_cast<std::size_t>(packed_bytes(static_cast<std::int64_t>(count), bits));
  if (packed.size() != expected) {
    throw Error(ErrorCode::kInvalidInput, "Packed weights of " + std::to_string(count) + " values at " +
                                              std::to_string(bits) + " bits take " + std::to_string(expected) +
                                              " bytes, but " + std::to_string(packed.size()) + " were found.");
  }
  std::vector<unsigned> wide(padded, 0);
  std::size_t start = 0;
  for (const auto [width, shift] : plane_layout(bits)) {
    const std::size_t bytes = padded / kGroup * static_cast<std::size_t>(width);
    const unsigned mask = (1U << width) - 1U;
    for (std::size_t j = 0; j < bytes; ++j) {
      unsigned byte = packed[start + j];
      for (std::size_t i = j; i < padded; i += bytes, byte >>= width) wide[i] |= (byte & mask) << shift;
    }
    start += bytes;
  }
  const int offset = 1 << (bits - 1);
  std::vector<std::int8_t> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<std::int8_t>(static_cast<int>(wide[i]) - offset);
  return values;
}

}  // namespace mpq::quant
