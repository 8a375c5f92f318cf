#include "graph/file_kinds.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "graph/wire.h"

namespace mpq::graph {

namespace {

using namespace std::string_view_literals;

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  const char* what;
  const char* cure;
};

constexpr const char* kExport = "Export the network to ONNX first.";

constexpr std::array<Signature, 12> kSignatures = {{
    {0, "version https://git-lfs"sv, "The file is a Git LFS pointer, not the model itself.",
     "Fetch the real file with `git lfs pull`."},
    {0, "PK\x03\x04"sv, "The file is a zip archive (PyTorch checkpoints and npz files are), not an ONNX model.",
     kExport},
    {0, "\x80\x02"sv, "The file is a Python pickle (a PyTorch checkpoint?), not an ONNX model.", kExport},
    {0, "\x89HDF\r\n"sv, "The file is HDF5 (a Keras model?), not an ONNX model.", kExport},
    {4, "TFL3"sv, "The file is a TensorFlow Lite model, not an ONNX model.", "Convert it to ONNX first."},
    {4, "ORTM"sv, "The file is in ONNX Runtime's own format (.ort), not an ONNX model.",
     "Use the .onnx file it was made from."},
    {0, "GGUF"sv, "The file is a GGUF model, not an ONNX model.", kExport},
    {0, "\x1f\x8b"sv, "The file is compressed with gzip.", "Unpack it first."},
    {0, "\x93NUMPY"sv, "The file is a NumPy array, not an ONNX model.",
     "Give the .onnx file; data go to --calibration."},
    {0, "<!DOCTYPE"sv, "The file is a web page, not an ONNX model.",
     "Download the file itself, not the page about it."},
    {0, "<html"sv, "The file is a web page, not an ONNX model.", "Download the file itself, not the page about it."},
    {0, "{"sv, "The file is text, perhaps JSON, not an ONNX model.", "Give the .onnx file."},
}};

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// "The file is cut off" for what begins like a model and then promises more bytes than there are.
std::optional<FileKind> cut_off(std::string_view text) {
  constexpr char kIrVersionTag = 0x08;  // field 1 as varint: what every exporter writes first
  if (text.front() != kIrVersionTag) return std::nullopt;
  WireReader reader(text);
  std::size_t read = 0;
  while (const auto field = reader.next()) read += field->whole.size();
  if (!reader.damaged()) return std::nullopt;
  return FileKind{"The file is cut off or damaged: it begins like an ONNX model, but the part at byte " +
                      std::to_string(read) + " does not end within the file's " + std::to_string(text.size()) +
                      " bytes.",
                  "Copy or download it again."};
}

}  // namespace

FileKind recognize(std::span<const std::byte> bytes) {
  const std::string_view text = text_of(bytes);
  for (const Signature& signature : kSignatures) {
    if (text.size() >= signature.offset && text.substr(signature.offset).starts_with(signature.bytes)) {
      return {signature.what, signature.cure};
    }
  }
  if (auto kind = cut_off(text)) return *kind;
  return {"The file is no ONNX model: it cannot be read as protobuf.",
          "It may be cut off, or a file of another kind; copy or download it again."};
}

Structure scan_structure(std::span<const std::byte> bytes, int most_nesting, std::int64_t most_fields) {
  struct Open {
    WireReader reader;
    MessageKind kind;
  };
  Structure found;
  std::vector<Open> path;
  path.push_back({WireReader(text_of(bytes)), MessageKind::kModel});
  while (!path.empty() && found.nesting <= most_nesting && found.fields <= most_fields) {
    found.nesting = std::max(found.nesting, static_cast<int>(path.size()));
    const auto field = path.back().reader.next();
    if (!field) {
      path.pop_back();
      continue;
    }
    if (field->type != WireType::kBytes) continue;
    ++found.fields;
    const MessageKind child = child_kind(path.back().kind, field->number);
    if (child != MessageKind::kOther) path.push_back({WireReader(field->content), child});
  }
  return found;
}

}  // namespace mpq::graph
