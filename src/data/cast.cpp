#include "data/cast.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "quantize/grid.h"

namespace mpq::data {
namespace {

// Every element type fits exactly into a long double with a 64-bit significand (x87) or more (AArch64).
using Wide = long double;
static_assert(std::numeric_limits<Wide>::digits >= 64);

template <typename T>
T load_as(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

float from_bfloat16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

/// Round to nearest even; NaN stays NaN.
std::uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16) | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

/// Rounded to odd: rounding once more, to fewer bits, gives what rounding `value` itself gives (Boldo and Melquiond
/// 2008).
float to_float_for_rounding(Wide value) {
  const auto nearest = static_cast<float>(value);
  const bool settled = !std::isfinite(nearest) || nearest == value || (std::bit_cast<std::uint32_t>(nearest) & 1) != 0;
  if (settled) return nearest;
  const float limit = std::numeric_limits<float>::infinity();
  return std::nextafter(nearest, value > nearest ? limit : -limit);
}

Wide load(DType type, const std::byte* at) {
  switch (type) {
    case DType::kFloat32:
      return load_as<float>(at);
    case DType::kFloat64:
      return load_as<double>(at);
    case DType::kFloat16:
      return quant::from_half(load_as<std::uint16_t>(at));
    case DType::kBFloat16:
      return from_bfloat16(load_as<std::uint16_t>(at));
    case DType::kInt8:
      return load_as<std::int8_t>(at);
    case DType::kInt16:
      return load_as<std::int16_t>(at);
    case DType::kInt32:
      return load_as<std::int32_t>(at);
    case DType::kInt64:
      return load_as<std::int64_t>(at);
    case DType::kUInt8:
      return load_as<std::uint8_t>(at);
    case DType::kUInt16:
      return load_as<std::uint16_t>(at);
    case DType::kUInt32:
      return load_as<std::uint32_t>(at);
    case DType::kUInt64:
      return load_as<std::uint64_t>(at);
    case DType::kBool:
      return load_as<std::uint8_t>(at) != 0 ? 1 : 0;
    case DType::kString:
      return 0;
  }
  return 0;
}

template <typename T>
void store_as(T value, std::byte* at) {
  std::memcpy(at, &value, sizeof value);
}

/// Stores an integer when `T` has it.
template <typename T>
bool store_integer(Wide value, std::byte* at) {
  if (!(value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max())) return false;
  store_as(static_cast<T>(value), at);
  return true;
}

bool store_bool(Wide value, std::byte* at) {
  if (value != 0 && value != 1) return false;
  store_as(static_cast<std::uint8_t>(value), at);
  return true;
}

// quant::to_half saturates, so its range is asked for first: 65520 is the first number that rounds beyond 65504.
bool store_half(Wide value, std::byte* at) {
  if (std::fabs(value) >= 65520 && std::isfinite(value)) return false;
  const std::uint16_t infinity = std::signbit(value) ? 0xfc00 : 0x7c00;
  store_as(std::isinf(value) ? infinity : quant::to_half(to_float_for_rounding(value)), at);
  return true;
}

bool store_float(Wide value, std::byte* at) {
  const auto rounded = static_cast<float>(value);
  store_as(rounded, at);
  return std::isfinite(rounded) || !std::isfinite(value);
}

bool store_bfloat16(Wide value, std::byte* at) {
  const std::uint16_t rounded = to_bfloat16(to_float_for_rounding(value));
  store_as(rounded, at);
  return std::isfinite(from_bfloat16(rounded)) || !std::isfinite(value);
}

bool store(DType type, Wide value, std::byte* at) {
  switch (type) {
    case DType::kFloat32:
      return store_float(value, at);
    case DType::kFloat64:
      store_as(static_cast<double>(value), at);
      return true;
    case DType::kFloat16:
      return store_half(value, at);
    case DType::kBFloat16:
      return store_bfloat16(value, at);
    case DType::kInt8:
      return store_integer<std::int8_t>(value, at);
    case DType::kInt16:
      return store_integer<std::int16_t>(value, at);
    case DType::kInt32:
      return store_integer<std::int32_t>(value, at);
    case DType::kInt64:
      return store_integer<std::int64_t>(value, at);
    case DType::kUInt8:
      return store_integer<std::uint8_t>(value, at);
    case DType::kUInt16:
      return store_integer<std::uint16_t>(value, at);
    case DType::kUInt32:
      return store_integer<std::uint32_t>(value, at);
    case DType::kUInt64:
      return store_integer<std::uint64_t>(value, at);
    case DType::kBool:
      return store_bool(value, at);
    case DType::kString:
      return false;
  }
  return false;
}

}  // namespace

bool is_floating(DType type) {
  return type == DType::kFloat32 || type == DType::kFloat64 || type == DType::kFloat16 || type == DType::kBFloat16;
}

std::optional<Tensor> cast_faithfully(const Tensor& tensor, DType to, std::optional<CastLoss>& loss) {
  const DType from = tensor.type();
  loss.reset();
  if (from == to) return tensor;
  if (from == DType::kString || to == DType::kString) return std::nullopt;
  if (is_floating(from) && !is_floating(to)) return std::nullopt;
  const bool must_be_exact = !is_floating(from);
  Tensor result(to, tensor.shape());
  const std::byte* source = tensor.data();
  std::byte* target = result.mutable_data();
  for (std::int64_t i = 0; i < tensor.size(); ++i, source += dtype_size(from), target += dtype_size(to)) {
    const Wide value = load(from, source);
    if (!store(to, value, target) || (must_be_exact && load(to, target) != value)) {
      loss = CastLoss{i};
      return std::nullopt;
    }
  }
  return result;
}

std::optional<std::int64_t> first_non_finite(const Tensor& tensor) {
  if (!is_floating(tensor.type())) return std::nullopt;
  if (tensor.type() == DType::kFloat32) {  // nearly all data: worth a short cut
    float sum = 0;                         // of x * 0: 0 for finite numbers, NaN for all others
    for (const float value : tensor.as<float>()) sum += value * 0.0F;
    if (sum == 0) return std::nullopt;
  }
  const std::byte* at = tensor.data();
  for (std::int64_t i = 0; i < tensor.size(); ++i, at += dtype_size(tensor.type())) {
    if (!std::isfinite(load(tensor.type(), at))) return i;
  }
  return std::nullopt;
}

}  // namespace mpq::data
