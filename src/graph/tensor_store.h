#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "support/files.h"

namespace mpq::graph {

/// Which field of a TensorProto holds the numbers. A file read from typed fields is written with typed fields.
enum class TensorField : std::uint8_t { kRaw, kFloat, kInt32, kInt64, kDouble, kUint64 };

/// The bytes of a model's larger tensors, kept outside the protobuf so that graphs are cheap to copy and cut.
/// A tensor in the store is held by its TensorProto in "skeleton form": data_location EXTERNAL with
/// location "#<index>" and its byte length. Entries are immutable; a store may be shared by many graphs.
class TensorStore {
 public:
  /// Adds bytes kept alive by `owner` (a mapped file, a string, a vector); returns the index.
  /// `field` is where write_model puts them when it writes them into the model file.
  std::size_t add(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                  TensorField field = TensorField::kRaw);
  /// Bytes of a mapped file, which take memory only while they are looked at.
  std::size_t add_mapped(std::span<const std::byte> bytes, std::shared_ptr<const MappedFile> file);
  /// Gives the memory of a mapped entry back; its bytes are read from the file again when they are next looked at.
  void release(std::size_t index) const;
  bool mapped(std::size_t index) const { return entries_.at(index).file != nullptr; }
  std::span<const std::byte> bytes(std::size_t index) const { return entries_.at(index).bytes; }
  TensorField field(std::size_t index) const { return entries_.at(index).field; }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;
    const MappedFile* file = nullptr;  ///< that the bytes are mapped from, kept alive by `owner`
    TensorField field = TensorField::kRaw;
  };
  std::vector<Entry> entries_;
};

/// Tensors of fewer bytes than this stay inside the protobuf.
inline constexpr std::size_t kStoreThresholdBytes = 1024;

bool in_store(const onnx::TensorProto& tensor);
/// Throws Error{kInternal} when the tensor is not in a store.
std::size_t store_index(const onnx::TensorProto& tensor);
/// Makes `tensor` refer to entry `index` of the store; dims and data_type stay.
void point_to_store(onnx::TensorProto& tensor, std::size_t index, std::size_t length);
/// Raw little-endian bytes of a tensor, in the store or inline in raw_data or in a typed field (then converted into
/// `scratch`).
std::span<const std::byte> raw_bytes(const onnx::TensorProto& tensor, const TensorStore& store, std::string& scratch);

/// The one field that holds the tensor's numbers inside the protobuf; kRaw also for a tensor without any.
TensorField data_field(const onnx::TensorProto& tensor);
/// How many of the fields that can hold numbers or strings do; a valid tensor with elements has exactly one.
int filled_fields(const onnx::TensorProto& tensor);
/// Moves the numbers of a large tensor into the store, whichever field holds them. Small tensors, strings and typed
/// fields whose values do not fit the element type (runtimes cut them off silently) stay where they are.
void move_to_store(onnx::TensorProto& tensor, TensorStore& store);
/// Empties every field that can hold numbers and gives their memory back.
void clear_data(onnx::TensorProto& tensor);

}  // namespace mpq::graph
