#include "graph/rope.h"

#include <cstring>
#include <utility>

#include "graph/types.h"
#include "graph/wire.h"

namespace mpq::graph {

namespace {

using onnx::TensorProto;

bool is_varint_field(TensorField field) {
  return field == TensorField::kInt32 || field == TensorField::kInt64 || field == TensorField::kUint64;
}

template <typename Stored, typename Visit>
void each(std::span<const std::byte> raw, const Visit& visit) {
  for (std::size_t at = 0; at + sizeof(Stored) <= raw.size(); at += sizeof(Stored)) {
    Stored value;
    std::memcpy(&value, raw.data() + at, sizeof value);
    // Protobuf's int32 and int64 are sign-extended to 64 bits, so negative values take ten bytes.
    visit(static_cast<std::uint64_t>(static_cast<std::int64_t>(value)));
  }
}

/// Every entry of the typed field as the varint's value: the inverse of what move_to_store does.
template <typename Visit>
void each_entry(std::span<const std::byte> raw, int type, const Visit& visit) {
  switch (type) {
    case TensorProto::INT64:
    case TensorProto::UINT64:
      return each<std::int64_t>(raw, visit);
    case TensorProto::INT32:
      return each<std::int32_t>(raw, visit);
    case TensorProto::UINT32:
      return each<std::uint32_t>(raw, visit);
    case TensorProto::INT16:
      return each<std::int16_t>(raw, visit);
    case TensorProto::INT8:
      return each<std::int8_t>(raw, visit);
    default:
      break;
  }
  element_bits(type) == 16 ? each<std::uint16_t>(raw, visit) : each<std::uint8_t>(raw, visit);
}

}  // namespace

std::int64_t encoded_size(std::span<const std::byte> raw, TensorField field, int onnx_data_type) {
  if (!is_varint_field(field)) return static_cast<std::int64_t>(raw.size());
  std::int64_t size = 0;
  each_entry(raw, onnx_data_type, [&size](std::uint64_t value) { size += varint_size(value); });
  return size;
}

void Rope::append(std::string_view literal) {
  if (literal.empty()) return;
  if (pieces_.empty() || !std::holds_alternative<std::string>(pieces_.back())) pieces_.emplace_back(std::string());
  std::get<std::string>(pieces_.back()) += literal;
  size_ += static_cast<std::int64_t>(literal.size());
}

void Rope::append(Rope&& other) {
  for (auto& piece : other.pieces_) {
    if (const auto* literal = std::get_if<std::string>(&piece)) {
      append(*literal);
    } else {
      const Data& data = std::get<Data>(piece);
      size_ += encoded_size(data.raw, data.field, data.onnx_data_type);
      pieces_.emplace_back(data);
    }
  }
  other.pieces_.clear();
  other.size_ = 0;
}

void Rope::append_data(std::span<const std::byte> raw, TensorField field, int onnx_data_type) {
  pieces_.emplace_back(Data{raw, field, onnx_data_type});
  size_ += encoded_size(raw, field, onnx_data_type);
}

void Rope::append_header(std::uint32_t number, std::int64_t length) {
  std::string header;
  graph::append_header(header, number, static_cast<std::uint64_t>(length));
  append(header);
}

void Rope::write(const std::function<void(std::span<const std::byte>)>& sink) const {
  constexpr std::size_t kBlock = std::size_t{1} << 16;
  for (const auto& piece : pieces_) {
    if (const auto* literal = std::get_if<std::string>(&piece)) {
      sink(std::as_bytes(std::span(*literal)));
      continue;
    }
    const Data& data = std::get<Data>(piece);
    if (!is_varint_field(data.field)) {
      sink(data.raw);
      continue;
    }
    std::string block;
    each_entry(data.raw, data.onnx_data_type, [&](std::uint64_t value) {
      append_varint(block, value);
      if (block.size() < kBlock) return;
      sink(std::as_bytes(std::span(std::as_const(block))));
      block.clear();
    });
    sink(std::as_bytes(std::span(std::as_const(block))));
  }
}

}  // namespace mpq::graph
