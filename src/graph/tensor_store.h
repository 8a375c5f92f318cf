#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

namespace mpq::graph {

/// The bytes of a model's larger tensors, kept outside the protobuf so that graphs are cheap to copy and cut.
/// A tensor in the store is held by its TensorProto in "skeleton form": data_location EXTERNAL with
/// location "#<index>" and its byte length. Entries are immutable; a store may be shared by many graphs.
class TensorStore {
 public:
  /// Adds bytes kept alive by `owner` (a mapped file, a string, a vector); returns the index.
  std::size_t add(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);
  std::span<const std::byte> bytes(std::size_t index) const { return entries_.at(index).bytes; }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;
  };
  std::vector<Entry> entries_;
};

/// Tensors of fewer bytes than this stay inside the protobuf.
inline constexpr std::size_t kStoreThresholdBytes = 1024;

bool in_store(const onnx::TensorProto& tensor);
std::size_t store_index(const onnx::TensorProto& tensor);
/// Makes `tensor` refer to entry `index` of the store; dims and data_type stay.
void point_to_store(onnx::TensorProto& tensor, std::size_t index, std::size_t length);
/// Raw little-endian bytes of a tensor, in the store or inline in raw_data or in a typed field (then converted into `scratch`).
std::span<const std::byte> raw_bytes(const onnx::TensorProto& tensor, const TensorStore& store, std::string& scratch);

}  // namespace mpq::graph
