#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mpq {

/// Element types of tensors that enter or leave a model.
enum class DType : std::uint8_t {
  kFloat32,
  kFloat64,
  kFloat16,
  kBFloat16,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUInt8,
  kUInt16,
  kUInt32,
  kUInt64,
  kBool,
  kString
};

/// Bytes of one element; 0 for kString.
std::size_t dtype_size(DType type);
/// The field's name: "float32", "int64", "bool", ...
const char* dtype_name(DType type);

/// Number of elements of `shape` (1 for rank 0). Throws Error{kInvalidInput} on a negative extent or overflow.
std::int64_t element_count(std::span<const std::int64_t> shape);

/// A dense tensor in C order. Copies share the bytes; treat them as immutable once shared.
class Tensor {
 public:
  Tensor() = default;
  /// Zero-filled.
  Tensor(DType type, std::vector<std::int64_t> shape);

  DType type() const { return type_; }
  const std::vector<std::int64_t>& shape() const { return shape_; }
  std::int64_t size() const { return size_; }
  std::size_t size_bytes() const { return bytes_ ? bytes_->size() : 0; }
  const std::byte* data() const { return bytes_ ? bytes_->data() : nullptr; }
  std::byte* mutable_data() { return bytes_ ? bytes_->data() : nullptr; }

  /// Typed view; the caller guarantees that T matches `type()`.
  template <typename T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(data()), static_cast<std::size_t>(size_)};
  }
  template <typename T>
  std::span<T> as_mutable() {
    return {reinterpret_cast<T*>(mutable_data()), static_cast<std::size_t>(size_)};
  }
  /// The same bytes under another shape of as many elements.
  Tensor reshaped(std::vector<std::int64_t> shape) const;

 private:
  DType type_ = DType::kFloat32;
  std::vector<std::int64_t> shape_;
  std::int64_t size_ = 0;
  std::shared_ptr<std::vector<std::byte>> bytes_;
};

}  // namespace mpq
