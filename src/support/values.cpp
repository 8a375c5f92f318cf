#include "support/values.h"

#include <bit>

#include "mpq/error.h"

namespace mpq {
namespace {

/// IEEE binary16 to float. The exponent is moved by a multiplication, which also gets subnormals right.
float from_binary16(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16, rest = bits & 0x7FFFu;
  if (rest >= 0x7C00u) return std::bit_cast<float>(sign | 0x7F800000u | (rest & 0x03FFu) << 13);
  const float magnitude = std::bit_cast<float>(rest << 13) * 0x1p112F;
  return sign ? -magnitude : magnitude;
}

/// bfloat16 is the upper half of a float.
float from_bfloat16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

template <typename T>
void convert(const Tensor& tensor, std::size_t first, std::span<double> out) {
  const T* values = tensor.as<T>().data() + first;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(values[i]);
}

template <typename Convert>
void convert_half(const Tensor& tensor, std::size_t first, std::span<double> out, const Convert& to_float) {
  const std::uint16_t* values = tensor.as<std::uint16_t>().data() + first;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(to_float(values[i]));
}

}  // namespace

void read_doubles(const Tensor& tensor, std::size_t first, std::span<double> out) {
  switch (tensor.type()) {
    case DType::kFloat32:
      return convert<float>(tensor, first, out);
    case DType::kFloat64:
      return convert<double>(tensor, first, out);
    case DType::kFloat16:
      return convert_half(tensor, first, out, from_binary16);
    case DType::kBFloat16:
      return convert_half(tensor, first, out, from_bfloat16);
    case DType::kInt8:
      return convert<std::int8_t>(tensor, first, out);
    case DType::kInt16:
      return convert<std::int16_t>(tensor, first, out);
    case DType::kInt32:
      return convert<std::int32_t>(tensor, first, out);
    case DType::kInt64:
      return convert<std::int64_t>(tensor, first, out);
    case DType::kUInt8:
    case DType::kBool:
      return convert<std::uint8_t>(tensor, first, out);
    case DType::kUInt16:
      return convert<std::uint16_t>(tensor, first, out);
    case DType::kUInt32:
      return convert<std::uint32_t>(tensor, first, out);
    case DType::kUInt64:
      return convert<std::uint64_t>(tensor, first, out);
    case DType::kString:
      break;
  }
  throw Error(ErrorCode::kInvalidInput, "A tensor of strings has no numbers to compare.");
}

}  // namespace mpq
