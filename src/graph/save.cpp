#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "graph/model_impl.h"
#include "graph/rope.h"
#include "graph/types.h"
#include "graph/wire.h"
#include "graph/wording.h"
#include "support/files.h"

// A skeleton is written by serializing it (it is small) and copying that byte stream field by field, with the numbers
// put back where a tensor points to the store. So fields mpq knows nothing of survive, and no second copy of the
// weights is ever made.

namespace fs = std::filesystem;

namespace mpq::graph {

namespace {

using onnx::TensorProto;

/// The tensors' place in the external file, in the order they stand in the model.
struct ExternalBlock {
  std::int64_t offset;
  std::span<const std::byte> raw;
  std::optional<std::size_t> stored;  ///< entry of the store
};

std::uint32_t field_number(TensorField field) {
  switch (field) {
    case TensorField::kRaw:
      return TensorProto::kRawDataFieldNumber;
    case TensorField::kFloat:
      return TensorProto::kFloatDataFieldNumber;
    case TensorField::kInt32:
      return TensorProto::kInt32DataFieldNumber;
    case TensorField::kInt64:
      return TensorProto::kInt64DataFieldNumber;
    case TensorField::kDouble:
      return TensorProto::kDoubleDataFieldNumber;
    case TensorField::kUint64:
      return TensorProto::kUint64DataFieldNumber;
  }
  throw Error(ErrorCode::kInternal, "A tensor names an unknown data field.");
}

class Writer {
 public:
  Writer(const TensorStore& store, std::string external_name)
      : store_(store), external_name_(std::move(external_name)) {}

  Rope message(MessageKind kind, std::string_view bytes) {
    if (kind == MessageKind::kTensor) return tensor(bytes);
    Rope rope;
    WireReader reader(bytes);
    while (const auto field = reader.next()) {
      const MessageKind child = child_kind(kind, field->number);
      if (child == MessageKind::kOther || field->type != WireType::kBytes) {
        rope.append(field->whole);
        continue;
      }
      Rope content = message(child, field->content);
      rope.append_header(field->number, content.size());
      rope.append(std::move(content));
    }
    return rope;
  }

  const std::vector<ExternalBlock>& external() const { return external_; }
  std::int64_t external_bytes() const { return external_bytes_; }

 private:
  Rope tensor(std::string_view bytes) {
    TensorProto tensor;
    tensor.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
    const bool stored = in_store(tensor);
    if (!external_name_.empty() && (stored || tensor.raw_data().size() >= kStoreThresholdBytes)) {
      return external_tensor(std::move(tensor), bytes, stored);
    }
    Rope rope;
    if (!stored) {
      rope.append(bytes);
      return rope;
    }
    return inline_tensor(std::move(tensor));
  }

  /// The numbers go back into the field they came from, at the place protobuf itself would write that field.
  Rope inline_tensor(TensorProto tensor) {
    const std::size_t index = store_index(tensor);
    const std::span<const std::byte> raw = store_.bytes(index);
    const TensorField field = store_.field(index);
    const std::uint32_t number = field_number(field);
    tensor.clear_external_data();
    tensor.clear_data_location();
    const std::string rest = tensor.SerializeAsString();
    std::size_t before = 0;
    WireReader reader(rest);
    for (auto part = reader.next(); part && part->number < number; part = reader.next()) before += part->whole.size();
    Rope rope;
    rope.append(std::string_view(rest).substr(0, before));
    rope.append_header(number, encoded_size(raw, field, tensor.data_type()));
    rope.append_data(raw, field, tensor.data_type());
    rope.append(std::string_view(rest).substr(before));
    return rope;
  }

  Rope external_tensor(TensorProto tensor, std::string_view bytes, bool stored) {
    constexpr std::int64_t kAlignment = 64;
    const std::int64_t offset = (external_bytes_ + kAlignment - 1) / kAlignment * kAlignment;
    const auto index = stored ? std::optional(store_index(tensor)) : std::nullopt;
    const std::span<const std::byte> raw = index ? store_.bytes(*index) : inline_raw(bytes);
    external_.push_back({offset, raw, index});
    external_bytes_ = offset + static_cast<std::int64_t>(raw.size());

    clear_data(tensor);
    tensor.clear_external_data();
    tensor.set_data_location(TensorProto::EXTERNAL);
    const auto entry = [&tensor](const char* key, const std::string& value) {
      auto* added = tensor.add_external_data();
      added->set_key(key);
      added->set_value(value);
    };
    entry("location", external_name_);
    entry("offset", std::to_string(offset));
    entry("length", std::to_string(raw.size()));
    Rope rope;
    rope.append(tensor.SerializeAsString());
    return rope;
  }

  /// raw_data where it stands in the serialized skeleton, which outlives the writer.
  static std::span<const std::byte> inline_raw(std::string_view bytes) {
    std::string_view raw;
    WireReader reader(bytes);
    while (const auto field = reader.next()) {
      if (field->number == TensorProto::kRawDataFieldNumber) raw = field->content;
    }
    return std::as_bytes(std::span(raw));
  }

  const TensorStore& store_;
  std::string external_name_;
  std::vector<ExternalBlock> external_;
  std::int64_t external_bytes_ = 0;
};

/// Everything write_model needs, sizes included; refers to the skeleton's serialized form and to the store.
struct Layout {
  std::string skeleton;
  Rope model;
  std::vector<ExternalBlock> external;
  Serialized sizes;
};

constexpr std::int64_t kProtobufLimit = std::numeric_limits<std::int32_t>::max();

[[noreturn]] void too_large(std::int64_t bytes) {
  throw Error(ErrorCode::kOutput,
              "The model would be " + std::to_string(bytes) +
                  " bytes in one file, and protobuf files end at 2 GiB (2147483647 bytes).",
              {}, "Write the weights to an external data file.");
}

Layout lay_out(const onnx::ModelProto& skeleton, const TensorStore& store, const std::string& external_name) {
  const auto skeleton_bytes = static_cast<std::int64_t>(skeleton.ByteSizeLong());
  if (skeleton_bytes > kProtobufLimit) too_large(skeleton_bytes);
  Layout layout;
  layout.skeleton = skeleton.SerializeAsString();
  Writer writer(store, external_name);
  layout.model = writer.message(MessageKind::kModel, layout.skeleton);
  layout.external = writer.external();
  layout.sizes = {layout.model.size(), writer.external_bytes()};
  return layout;
}

/// The external file stands beside the model, whatever folders its name asks for.
std::string external_path(const std::string& model_path, const std::string& external_name) {
  const fs::path name = fs::path(external_name).lexically_normal();
  if (name.is_absolute() || name.empty() || *name.begin() == ".." || name == ".") {
    throw Error(ErrorCode::kOutput,
                "The external data file " + in_quotes(external_name) + " does not lie in the model's folder.",
                model_path, "Give it a plain file name.");
  }
  if (name == fs::path(model_path).filename()) {
    throw Error(ErrorCode::kOutput, "The external data file would have the name of the model itself.", model_path,
                "Give it another name.");
  }
  return (fs::path(model_path).parent_path() / name).string();
}

/// No more than one tensor of a mapped file is in memory at a time.
void write_external(const std::vector<ExternalBlock>& blocks, const TensorStore& store, AtomicFile& file) {
  std::int64_t written = 0;
  for (const ExternalBlock& block : blocks) {
    file.write(std::string(static_cast<std::size_t>(block.offset - written), '\0'));
    file.write(block.raw);
    if (block.stored) store.release(*block.stored);
    written = block.offset + static_cast<std::int64_t>(block.raw.size());
  }
}

}  // namespace

Serialized serialized_size(const onnx::ModelProto& skeleton, const TensorStore& store,
                           const std::string& external_name) {
  return lay_out(skeleton, store, external_name).sizes;
}

Serialized write_model(const onnx::ModelProto& skeleton, const TensorStore& store, const std::string& path,
                       const std::string& external_name, bool force) {
  const Layout layout = lay_out(skeleton, store, external_name);
  if (layout.sizes.model_bytes > kProtobufLimit) too_large(layout.sizes.model_bytes);
  AtomicFile model(path, force);
  if (!layout.external.empty()) {
    AtomicFile data(external_path(path, external_name), force);
    write_external(layout.external, store, data);
    layout.model.write([&model](std::span<const std::byte> bytes) { model.write(bytes); });
    data.commit();
  } else {
    layout.model.write([&model](std::span<const std::byte> bytes) { model.write(bytes); });
  }
  model.commit();
  return layout.sizes;
}

}  // namespace mpq::graph
