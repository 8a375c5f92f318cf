#include "graph/dequantize_tensor.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "graph/types.h"
#include "graph/weight_roles.h"
#include "quantize/grid.h"

namespace mpq::graph {

namespace {

using onnx::TensorProto;
using Bytes = std::span<const std::byte>;

/// Element `index`, read from little-endian bytes of 2 to 32 bits per element; the first element of a byte is lowest.
std::int64_t integer_at(Bytes bytes, std::size_t index, const IntegerType& type) {
  const std::size_t bit = index * static_cast<std::size_t>(type.bits);
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + bit / 8, static_cast<std::size_t>((type.bits + 7) / 8));
  word = word >> (bit % 8) & ((std::uint64_t{1} << type.bits) - 1);
  const bool negative = type.is_signed && (word >> (type.bits - 1)) != 0;
  return static_cast<std::int64_t>(word) - (negative ? std::int64_t{1} << type.bits : 0);
}

std::size_t element_count(const TensorProto& tensor) {
  std::size_t count = 1;
  for (const auto extent : tensor.dims()) count *= static_cast<std::size_t>(extent);
  return count;
}

/// Numbers of an integer or float tensor.
class Numbers {
 public:
  Numbers(const TensorProto& tensor, const TensorStore& store)
      : integers_(integer_type(tensor.data_type())),
        type_(tensor.data_type()),
        bytes_(raw_bytes(tensor, store, scratch_)) {}
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;

  bool holds(std::size_t count) const {
    const int bits = integers_ ? integers_->bits : type_ == TensorProto::FLOAT ? 32 : 16;
    const bool known = integers_ || type_ == TensorProto::FLOAT || type_ == TensorProto::FLOAT16;
    return known && bytes_.size() * 8 >= count * static_cast<std::size_t>(bits);
  }
  std::int64_t integer(std::size_t index) const { return integer_at(bytes_, index, *integers_); }
  float real(std::size_t index) const {
    if (type_ == TensorProto::FLOAT16) {
      std::uint16_t bits = 0;
      std::memcpy(&bits, bytes_.data() + index * sizeof bits, sizeof bits);
      return quant::from_half(bits);
    }
    float value = 0;
    std::memcpy(&value, bytes_.data() + index * sizeof value, sizeof value);
    return value;
  }
  bool of_integers() const { return integers_.has_value(); }

 private:
  std::optional<IntegerType> integers_;
  int type_;
  std::string scratch_;
  Bytes bytes_;
};

/// Which scale each element has: elements are [outer, extent, inner] around the axis, and `block` of them along it
/// share a scale.
struct ScaleMap {
  std::size_t extent = 1, inner = 1, block = 1, scales = 1;
  bool by_axis_alone = true;  ///< the same scales for every position beside the axis

  std::size_t operator()(std::size_t element) const {
    const std::size_t along = element / inner % extent;
    if (by_axis_alone) return scales == 1 ? 0 : along;
    const std::size_t blocks = (extent + block - 1) / block;
    return (element / inner / extent * blocks + along / block) * inner + element % inner;
  }
};

std::optional<ScaleMap> scale_map(const onnx::NodeProto& node, const TensorProto& x, const TensorProto& scale) {
  ScaleMap map;
  map.scales = element_count(scale);
  const std::int64_t block = int_attribute(node, "block_size", 0);
  if (block == 0 && map.scales == 1) return map;
  const int rank = x.dims_size();
  std::int64_t axis = int_attribute(node, "axis", 1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return std::nullopt;
  map.extent = static_cast<std::size_t>(x.dims(static_cast<int>(axis)));
  for (int i = static_cast<int>(axis) + 1; i < rank; ++i) map.inner *= static_cast<std::size_t>(x.dims(i));
  if (block == 0) return map.scales == map.extent ? std::optional(map) : std::nullopt;
  map.by_axis_alone = false;
  map.block = static_cast<std::size_t>(block);
  const std::size_t blocks = (map.extent + map.block - 1) / map.block;
  const std::size_t rows = map.extent == 0 ? 0 : element_count(x) / map.extent;
  return block > 0 && map.scales == rows * blocks ? std::optional(map) : std::nullopt;
}

}  // namespace

double IntegerType::lowest() const { return is_signed ? -std::ldexp(1.0, bits - 1) : 0; }
double IntegerType::highest() const { return std::ldexp(1.0, is_signed ? bits - 1 : bits) - 1; }

std::optional<IntegerType> integer_type(int type) {
  switch (type) {
    case TensorProto::INT8:
    case TensorProto::INT16:
    case TensorProto::INT32:
    case TensorProto::INT4:
    case TensorProto::INT2:
      return IntegerType{element_bits(type), true};
    case TensorProto::UINT8:
    case TensorProto::UINT16:
    case TensorProto::UINT4:
    case TensorProto::UINT2:
      return IntegerType{element_bits(type), false};
    default:
      return std::nullopt;
  }
}

std::optional<double> single_number(const TensorProto* tensor, const TensorStore& store) {
  if (tensor == nullptr) return 0;
  const Numbers numbers(*tensor, store);
  if (element_count(*tensor) != 1 || !numbers.holds(1)) return std::nullopt;
  return numbers.of_integers() ? static_cast<double>(numbers.integer(0)) : static_cast<double>(numbers.real(0));
}

std::optional<DequantizedTensor> dequantize_tensor(const onnx::NodeProto& node, const TensorProto& x,
                                                   const TensorProto& scale, const TensorProto* zero_point,
                                                   const TensorStore& store) {
  const std::size_t count = element_count(x);
  const Numbers values(x, store), scales(scale, store);
  const auto map = scale_map(node, x, scale);
  const bool half = scale.data_type() == TensorProto::FLOAT16;
  if (!map || !values.of_integers() || !values.holds(count) || scales.of_integers() || !scales.holds(map->scales) ||
      int_attribute(node, "output_dtype", scale.data_type()) != scale.data_type())
    return std::nullopt;
  std::vector<std::int64_t> zero_points(map->scales, 0);
  if (zero_point != nullptr) {
    const Numbers zeros(*zero_point, store);
    if (element_count(*zero_point) != map->scales || !zeros.of_integers() || !zeros.holds(map->scales))
      return std::nullopt;
    for (std::size_t i = 0; i < zero_points.size(); ++i) zero_points[i] = zeros.integer(i);
  }
  DequantizedTensor result;
  *result.tensor.mutable_dims() = x.dims();
  result.tensor.set_data_type(scale.data_type());
  const std::size_t width = half ? sizeof(std::uint16_t) : sizeof(float);
  result.bytes.resize(count * width);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t group = (*map)(i);
    const float value = static_cast<float>(values.integer(i) - zero_points[group]) * scales.real(group);
    const std::uint16_t rounded = half ? quant::to_half(value) : 0;
    std::memcpy(result.bytes.data() + i * width, half ? static_cast<const void*>(&rounded) : &value, width);
  }
  return result;
}

}  // namespace mpq::graph
