#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Protobuf's wire format (Protocol Buffers documentation, "Encoding") as far as models need it: walking a message
// field by field without building it, and which fields of ONNX's messages lead to tensors.

namespace mpq::graph {

enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kGroup = 3, kFixed32 = 5 };

struct WireField {
  std::uint32_t number = 0;
  WireType type = WireType::kVarint;
  std::string_view whole;    ///< tag, length and content
  std::string_view content;  ///< of a kBytes field; else empty
};

/// Reads the fields of one serialized message in turn.
class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}
  /// The next field; empty at the end of the message and where it is damaged.
  std::optional<WireField> next();
  /// True once the message turned out not to be protobuf, or to be cut off.
  bool damaged() const { return damaged_; }

 private:
  std::optional<std::uint64_t> varint();
  bool skip(std::size_t bytes);
  bool skip_value(WireType type);
  bool skip_group(std::uint32_t number);

  std::string_view rest_;
  bool damaged_ = false;
};

/// ONNX's messages through which a tensor can be reached.
enum class MessageKind : std::uint8_t {
  kOther,
  kModel,
  kTraining,
  kFunction,
  kGraph,
  kNode,
  kAttribute,
  kSparseTensor,
  kTensor
};

/// What the field `number` of a message of this kind holds, by onnx.proto.
MessageKind child_kind(MessageKind parent, std::uint32_t number);

void append_varint(std::string& out, std::uint64_t value);
/// Tag and length of a length-delimited field.
void append_header(std::string& out, std::uint32_t number, std::uint64_t length);
int varint_size(std::uint64_t value);

}  // namespace mpq::graph
