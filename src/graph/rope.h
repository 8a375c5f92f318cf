#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/tensor_store.h"

namespace mpq::graph {

/// A serialized message whose large parts are still in the tensor store: literal bytes and references, in order.
/// Its exact size is known before anything is written, and it can be written without ever standing in memory whole.
class Rope {
 public:
  void append(std::string_view literal);
  void append(Rope&& other);
  /// The content of a packed typed field (or of raw_data) for these raw bytes.
  void append_data(std::span<const std::byte> raw, TensorField field, int onnx_data_type);
  /// Tag and length for a length-delimited field of `length` bytes.
  void append_header(std::uint32_t number, std::int64_t length);

  std::int64_t size() const { return size_; }
  /// Calls `sink` with the bytes, in pieces.
  void write(const std::function<void(std::span<const std::byte>)>& sink) const;

 private:
  struct Data {
    std::span<const std::byte> raw;
    TensorField field;
    int onnx_data_type;
  };
  std::vector<std::variant<std::string, Data>> pieces_;
  std::int64_t size_ = 0;
};

/// Bytes of the content that append_data makes.
std::int64_t encoded_size(std::span<const std::byte> raw, TensorField field, int onnx_data_type);

}  // namespace mpq::graph
