#include <bit>

#include "quantize/grid.h"

namespace mpq::quant {

namespace {

constexpr std::uint32_t kFloatInfinity = 0x7f800000;
constexpr std::uint32_t kHalfOverflow = 0x477ff000;    // 65520: from here on nearest would be infinity
constexpr std::uint32_t kSmallestNormal = 0x38800000;  // 2^-14
constexpr std::uint32_t kUnderflow = 0x33000000;       // 2^-25: up to here nearest-even is zero
constexpr std::uint16_t kLargestHalf = 0x7bff;         // 65504

/// Magnitude bits of a float in [2^-25, 2^-14) as a subnormal half: a count of units of 2^-24.
std::uint32_t subnormal(std::uint32_t magnitude) {
  const std::uint32_t exponent = magnitude >> 23;
  const std::uint32_t mantissa = (magnitude & 0x7fffff) | 0x800000;
  const std::uint32_t shift = 126 - exponent;
  const std::uint32_t halfway = std::uint32_t{1} << (shift - 1);
  const std::uint32_t rest = mantissa & ((std::uint32_t{1} << shift) - 1);
  std::uint32_t units = mantissa >> shift;
  if (rest > halfway || (rest == halfway && (units & 1) != 0)) ++units;
  return units;
}

}  // namespace

std::uint16_t to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000;
  const std::uint32_t magnitude = bits & 0x7fffffff;
  std::uint32_t half = 0;
  if (magnitude > kFloatInfinity) {
    half = 0x7e00;
  } else if (magnitude == kFloatInfinity) {
    half = 0x7c00;
  } else if (magnitude >= kHalfOverflow) {
    half = kLargestHalf;
  } else if (magnitude >= kSmallestNormal) {
    const std::uint32_t rounded = magnitude + 0xfff + ((magnitude >> 13) & 1);  // ties to even
    half = (rounded - 0x38000000) >> 13;
  } else if (magnitude > kUnderflow) {
    half = subnormal(magnitude);
  }
  return static_cast<std::uint16_t>(sign | half);
}

float from_half(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1f;
  const std::uint32_t mantissa = bits & 0x3ff;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
  }
  const std::uint32_t widened = exponent == 31 ? 0xff : exponent + 112;
  return std::bit_cast<float>(sign | (widened << 23) | (mantissa << 13));
}

}  // namespace mpq::quant
