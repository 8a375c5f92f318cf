#include "graph/tensor_store.h"

#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <utility>

#include "mpq/error.h"

#include "graph/types.h"
#include "graph/wording.h"

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian (TensorProto, onnx.proto)");

namespace mpq::graph {

namespace {

using onnx::TensorProto;

template <typename T>
using Repeated = google::protobuf::RepeatedField<T>;

template <typename T>
std::span<const std::byte> as_bytes_of(const Repeated<T>& values) {
  return std::as_bytes(std::span<const T>(values.data(), static_cast<std::size_t>(values.size())));
}

/// Appends every value cut to its low `Stored` bytes; false when one does not fit.
template <typename Stored, typename T>
bool narrow(const Repeated<T>& values, std::string& out) {
  bool fits = true;
  out.resize(static_cast<std::size_t>(values.size()) * sizeof(Stored));
  char* to = out.data();
  for (const T value : values) {
    const auto stored = static_cast<Stored>(value);
    fits = fits && static_cast<T>(stored) == value;
    std::memcpy(to, &stored, sizeof stored);
    to += sizeof stored;
  }
  return fits;
}

/// int32_data holds one element each, of packed types one byte each (onnx.proto, TensorProto.int32_data).
bool narrow_int32(const TensorProto& tensor, std::string& out) {
  switch (tensor.data_type()) {
    case TensorProto::INT32:
      return narrow<std::int32_t>(tensor.int32_data(), out);
    case TensorProto::INT16:
      return narrow<std::int16_t>(tensor.int32_data(), out);
    case TensorProto::INT8:
      return narrow<std::int8_t>(tensor.int32_data(), out);
    default:
      break;
  }
  return element_bits(tensor.data_type()) == 16 ? narrow<std::uint16_t>(tensor.int32_data(), out)
                                                : narrow<std::uint8_t>(tensor.int32_data(), out);
}

/// The typed field as raw bytes; false when values had to be cut off.
bool typed_to_raw(const TensorProto& tensor, TensorField field, std::string& out) {
  const auto copy = [&out](std::span<const std::byte> bytes) {
    out.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return true;
  };
  switch (field) {
    case TensorField::kFloat:
      return copy(as_bytes_of(tensor.float_data()));
    case TensorField::kDouble:
      return copy(as_bytes_of(tensor.double_data()));
    case TensorField::kInt64:
      return copy(as_bytes_of(tensor.int64_data()));
    case TensorField::kInt32:
      return narrow_int32(tensor, out);
    case TensorField::kUint64:
      return tensor.data_type() == TensorProto::UINT32 ? narrow<std::uint32_t>(tensor.uint64_data(), out)
                                                       : copy(as_bytes_of(tensor.uint64_data()));
    case TensorField::kRaw:
      break;
  }
  return copy(std::as_bytes(std::span(tensor.raw_data())));
}

/// Takes the values out of a repeated field without copying them.
template <typename T>
void store_field(TensorProto& tensor, Repeated<T>* values, TensorField field, TensorStore& store) {
  auto owner = std::make_shared<Repeated<T>>();
  owner->Swap(values);
  const auto bytes = as_bytes_of(*owner);
  point_to_store(tensor, store.add(bytes, std::move(owner), field), bytes.size());
}

template <typename T>
void release(Repeated<T>* values) {
  Repeated<T>().Swap(values);
}

constexpr char kStoreMark = '#';

const std::string* location_of(const TensorProto& tensor) {
  if (tensor.data_location() != TensorProto::EXTERNAL) return nullptr;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") return &entry.value();
  }
  return nullptr;
}

}  // namespace

std::size_t TensorStore::add(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, TensorField field) {
  entries_.push_back({bytes, std::move(owner), nullptr, field});
  return entries_.size() - 1;
}

std::size_t TensorStore::add_mapped(std::span<const std::byte> bytes, std::shared_ptr<const MappedFile> file) {
  const MappedFile* mapping = file.get();
  entries_.push_back({bytes, std::move(file), mapping, TensorField::kRaw});
  return entries_.size() - 1;
}

void TensorStore::release(std::size_t index) const {
  const Entry& entry = entries_.at(index);
  if (entry.file != nullptr) entry.file->release(entry.bytes);
}

bool in_store(const TensorProto& tensor) {
  const std::string* location = location_of(tensor);
  return location != nullptr && location->size() > 1 && location->front() == kStoreMark;
}

std::size_t store_index(const TensorProto& tensor) {
  std::size_t index = 0;
  const std::string* location = in_store(tensor) ? location_of(tensor) : nullptr;
  if (location != nullptr) {
    const char* end = location->data() + location->size();
    const auto read = std::from_chars(location->data() + 1, end, index);
    if (read.ec == std::errc() && read.ptr == end) return index;
  }
  throw Error(ErrorCode::kInternal, "The tensor " + in_quotes(tensor.name()) + " is not held by a tensor store.");
}

void point_to_store(TensorProto& tensor, std::size_t index, std::size_t length) {
  clear_data(tensor);
  tensor.clear_external_data();
  tensor.set_data_location(TensorProto::EXTERNAL);
  auto* location = tensor.add_external_data();
  location->set_key("location");
  location->set_value(kStoreMark + std::to_string(index));
  auto* bytes = tensor.add_external_data();
  bytes->set_key("length");
  bytes->set_value(std::to_string(length));
}

std::span<const std::byte> raw_bytes(const TensorProto& tensor, const TensorStore& store, std::string& scratch) {
  if (in_store(tensor)) return store.bytes(store_index(tensor));
  const TensorField field = data_field(tensor);
  if (field == TensorField::kRaw) return std::as_bytes(std::span(tensor.raw_data()));
  typed_to_raw(tensor, field, scratch);
  return std::as_bytes(std::span(std::as_const(scratch)));
}

TensorField data_field(const TensorProto& tensor) {
  if (!tensor.raw_data().empty()) return TensorField::kRaw;
  if (!tensor.float_data().empty()) return TensorField::kFloat;
  if (!tensor.int32_data().empty()) return TensorField::kInt32;
  if (!tensor.int64_data().empty()) return TensorField::kInt64;
  if (!tensor.double_data().empty()) return TensorField::kDouble;
  if (!tensor.uint64_data().empty()) return TensorField::kUint64;
  return TensorField::kRaw;
}

int filled_fields(const TensorProto& tensor) {
  return (tensor.raw_data().empty() ? 0 : 1) + (tensor.float_data().empty() ? 0 : 1) +
         (tensor.int32_data().empty() ? 0 : 1) + (tensor.int64_data().empty() ? 0 : 1) +
         (tensor.double_data().empty() ? 0 : 1) + (tensor.uint64_data().empty() ? 0 : 1) +
         (tensor.string_data().empty() ? 0 : 1);
}

void move_to_store(TensorProto& tensor, TensorStore& store) {
  if (tensor.data_location() == TensorProto::EXTERNAL || filled_fields(tensor) != 1 || !tensor.string_data().empty())
    return;
  const auto large = [](std::size_t bytes) { return bytes >= kStoreThresholdBytes; };
  const TensorField field = data_field(tensor);
  switch (field) {
    case TensorField::kRaw: {
      if (!large(tensor.raw_data().size())) return;
      const auto owner = std::make_shared<const std::string>(std::move(*tensor.mutable_raw_data()));
      point_to_store(tensor, store.add(std::as_bytes(std::span(*owner)), owner), owner->size());
      return;
    }
    case TensorField::kFloat:
      if (large(as_bytes_of(tensor.float_data()).size()))
        store_field(tensor, tensor.mutable_float_data(), field, store);
      return;
    case TensorField::kDouble:
      if (large(as_bytes_of(tensor.double_data()).size()))
        store_field(tensor, tensor.mutable_double_data(), field, store);
      return;
    case TensorField::kInt64:
      if (large(as_bytes_of(tensor.int64_data()).size()))
        store_field(tensor, tensor.mutable_int64_data(), field, store);
      return;
    case TensorField::kInt32:
    case TensorField::kUint64: {
      const auto owner = std::make_shared<std::string>();
      const bool exact = typed_to_raw(tensor, field, *owner);
      if (!exact || !large(owner->size())) return;
      point_to_store(tensor, store.add(std::as_bytes(std::span(std::as_const(*owner))), owner, field), owner->size());
      return;
    }
  }
}

void clear_data(TensorProto& tensor) {
  tensor.clear_raw_data();
  release(tensor.mutable_float_data());
  release(tensor.mutable_int32_data());
  release(tensor.mutable_int64_data());
  release(tensor.mutable_double_data());
  release(tensor.mutable_uint64_data());
  tensor.clear_string_data();
}

}  // namespace mpq::graph
