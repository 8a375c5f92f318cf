#include "mpq/tensor.h"

#include <limits>
#include <string>

#include "mpq/error.h"

namespace mpq {
namespace {

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? "," : "") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace

std::size_t dtype_size(DType type) {
  switch (type) {
    case DType::kInt8:
    case DType::kUInt8:
    case DType::kBool:
      return 1;
    case DType::kFloat16:
    case DType::kBFloat16:
    case DType::kInt16:
    case DType::kUInt16:
      return 2;
    case DType::kFloat32:
    case DType::kInt32:
    case DType::kUInt32:
      return 4;
    case DType::kFloat64:
    case DType::kInt64:
    case DType::kUInt64:
      return 8;
    case DType::kString:
      return 0;
  }
  return 0;
}

const char* dtype_name(DType type) {
  switch (type) {
    case DType::kFloat32:
      return "float32";
    case DType::kFloat64:
      return "float64";
    case DType::kFloat16:
      return "float16";
    case DType::kBFloat16:
      return "bfloat16";
    case DType::kInt8:
      return "int8";
    case DType::kInt16:
      return "int16";
    case DType::kInt32:
      return "int32";
    case DType::kInt64:
      return "int64";
    case DType::kUInt8:
      return "uint8";
    case DType::kUInt16:
      return "uint16";
    case DType::kUInt32:
      return "uint32";
    case DType::kUInt64:
      return "uint64";
    case DType::kBool:
      return "bool";
    case DType::kString:
      return "string";
  }
  return "unknown";
}

std::int64_t element_count(std::span<const std::int64_t> shape) {
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t extent : shape) {
    if (extent < 0) throw Error(ErrorCode::kInvalidInput, "The shape " + shape_text(shape) + " has a negative extent.");
    if (extent == 0) {
      empty = true;  // keep looking: a negative extent further on is still wrong
    } else if (count > std::numeric_limits<std::int64_t>::max() / extent) {
      throw Error(ErrorCode::kInvalidInput, "The shape " + shape_text(shape) + " has more than 2^63 elements.");
    } else {
      count *= extent;
    }
  }
  return empty ? 0 : count;
}

Tensor::Tensor(DType type, std::vector<std::int64_t> shape)
    : type_(type), shape_(std::move(shape)), size_(element_count(shape_)) {
  const std::size_t width = dtype_size(type);
  const auto count = static_cast<std::size_t>(size_);
  if (width != 0 && count > std::vector<std::byte>().max_size() / width)
    throw Error(ErrorCode::kInvalidInput, "The shape " + shape_text(shape_) + " does not fit into memory.");
  bytes_ = std::make_shared<std::vector<std::byte>>(count * width);
}

Tensor Tensor::reshaped(std::vector<std::int64_t> shape) const {
  if (element_count(shape) != size_)
    throw Error(ErrorCode::kInvalidInput, "A tensor of shape " + shape_text(shape_) + " cannot be viewed as " +
                                              shape_text(shape) + ": the numbers of elements differ.");
  Tensor view = *this;
  view.shape_ = std::move(shape);
  return view;
}

}  // namespace mpq
