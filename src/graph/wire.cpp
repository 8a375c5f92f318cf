#include "graph/wire.h"

#include <array>
#include <bit>
#include <vector>

namespace mpq::graph {

namespace {

constexpr unsigned kEndGroup = 4;

struct Edge {
  MessageKind parent;
  std::uint32_t number;
  MessageKind child;
};

constexpr std::array<Edge, 19> kEdges = {{
    {MessageKind::kModel, 7, MessageKind::kGraph},
    {MessageKind::kModel, 20, MessageKind::kTraining},
    {MessageKind::kModel, 25, MessageKind::kFunction},
    {MessageKind::kTraining, 1, MessageKind::kGraph},
    {MessageKind::kTraining, 2, MessageKind::kGraph},
    {MessageKind::kFunction, 7, MessageKind::kNode},
    {MessageKind::kFunction, 11, MessageKind::kAttribute},
    {MessageKind::kGraph, 1, MessageKind::kNode},
    {MessageKind::kGraph, 5, MessageKind::kTensor},
    {MessageKind::kGraph, 15, MessageKind::kSparseTensor},
    {MessageKind::kNode, 5, MessageKind::kAttribute},
    {MessageKind::kAttribute, 5, MessageKind::kTensor},
    {MessageKind::kAttribute, 6, MessageKind::kGraph},
    {MessageKind::kAttribute, 10, MessageKind::kTensor},
    {MessageKind::kAttribute, 11, MessageKind::kGraph},
    {MessageKind::kAttribute, 22, MessageKind::kSparseTensor},
    {MessageKind::kAttribute, 23, MessageKind::kSparseTensor},
    {MessageKind::kSparseTensor, 1, MessageKind::kTensor},
    {MessageKind::kSparseTensor, 2, MessageKind::kTensor},
}};

}  // namespace

std::optional<std::uint64_t> WireReader::varint() {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 10 && i < rest_.size(); ++i) {
    const auto byte = static_cast<unsigned char>(rest_[i]);
    value |= static_cast<std::uint64_t>(byte & 0x7Fu) << (7 * i);
    if (byte < 0x80) {
      rest_.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

bool WireReader::skip(std::size_t bytes) {
  if (bytes > rest_.size()) return false;
  rest_.remove_prefix(bytes);
  return true;
}

bool WireReader::skip_value(WireType type) {
  switch (type) {
    case WireType::kVarint:
      return varint().has_value();
    case WireType::kFixed64:
      return skip(8);
    case WireType::kFixed32:
      return skip(4);
    case WireType::kBytes: {
      const auto length = varint();
      return length && *length <= rest_.size() && skip(static_cast<std::size_t>(*length));
    }
    case WireType::kGroup:
      break;
  }
  return false;
}

/// Groups are deprecated and never ONNX's own, but protobuf keeps unknown ones.
bool WireReader::skip_group(std::uint32_t number) {
  std::vector<std::uint32_t> open = {number};
  while (!open.empty()) {
    const auto tag = varint();
    if (!tag) return false;
    const auto inner = static_cast<std::uint32_t>(*tag >> 3);
    const auto type = static_cast<unsigned>(*tag & 7u);
    if (type == kEndGroup) {
      if (inner != open.back()) return false;
      open.pop_back();
    } else if (type == static_cast<unsigned>(WireType::kGroup)) {
      open.push_back(inner);
    } else if (!skip_value(static_cast<WireType>(type))) {
      return false;
    }
  }
  return true;
}

std::optional<WireField> WireReader::next() {
  if (rest_.empty() || damaged_) return std::nullopt;
  damaged_ = true;  // until the field is whole
  const std::string_view begin = rest_;
  const auto tag = varint();
  if (!tag || *tag >> 3 == 0 || *tag >> 32 != 0) return std::nullopt;
  WireField field;
  field.number = static_cast<std::uint32_t>(*tag >> 3);
  field.type = static_cast<WireType>(*tag & 7u);
  if (field.type == WireType::kBytes) {
    const auto length = varint();
    if (!length || *length > rest_.size()) return std::nullopt;
    field.content = rest_.substr(0, static_cast<std::size_t>(*length));
    rest_.remove_prefix(field.content.size());
  } else if (!(field.type == WireType::kGroup ? skip_group(field.number) : skip_value(field.type))) {
    return std::nullopt;
  }
  field.whole = begin.substr(0, begin.size() - rest_.size());
  damaged_ = false;
  return field;
}

MessageKind child_kind(MessageKind parent, std::uint32_t number) {
  for (const Edge& edge : kEdges) {
    if (edge.parent == parent && edge.number == number) return edge.child;
  }
  return MessageKind::kOther;
}

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>((value & 0x7Fu) | 0x80u));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void append_header(std::string& out, std::uint32_t number, std::uint64_t length) {
  append_varint(out, (static_cast<std::uint64_t>(number) << 3) | static_cast<unsigned>(WireType::kBytes));
  append_varint(out, length);
}

int varint_size(std::uint64_t value) { return (std::bit_width(value | 1u) + 6) / 7; }

}  // namespace mpq::graph
