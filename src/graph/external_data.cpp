#include "graph/external_data.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <system_error>
#include <vector>

#include "graph/types.h"
#include "graph/wording.h"

namespace fs = std::filesystem;

namespace mpq::graph {

namespace {

using onnx::TensorProto;

/// The recognized keys of TensorProto.external_data (onnx.proto).
struct Reference {
  std::string location;
  std::int64_t offset = 0;
  std::optional<std::int64_t> length;
};

/// What the messages about one tensor share.
struct Subject {
  const std::string& label;
  const std::string& model_path;
};

std::int64_t parse_count(const std::string& key, const std::string& text, const Subject& subject) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || value < 0) {
    invalid("The external " + key + " of " + subject.label + " is " + in_quotes(text) +
                ", which is not a number of bytes from 0 to 2^63 - 1.",
            subject.model_path);
  }
  return value;
}

Reference parse_reference(const TensorProto& tensor, const Subject& subject) {
  Reference reference;
  bool located = false, offset_given = false;
  const auto once = [&subject](bool given, const std::string& key) {
    if (given) invalid("The external data of " + subject.label + " gives its " + key + " twice.", subject.model_path);
  };
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") {
      once(located, entry.key());
      located = true;
      reference.location = entry.value();
    } else if (entry.key() == "offset") {
      once(offset_given, entry.key());
      offset_given = true;
      reference.offset = parse_count(entry.key(), entry.value(), subject);
    } else if (entry.key() == "length") {
      once(reference.length.has_value(), entry.key());
      reference.length = parse_count(entry.key(), entry.value(), subject);
    }
  }
  if (reference.location.empty()) {
    invalid("The data of " + subject.label + " is external but names no file (entry 'location').", subject.model_path);
  }
  return reference;
}

std::int64_t expected_bytes(const TensorProto& tensor, const Subject& subject) {
  const auto elements = safe_element_count(tensor.dims());
  const auto bytes = elements ? raw_data_bytes(tensor.data_type(), *elements) : std::nullopt;
  if (!bytes) {
    invalid("The dims and the element type (" + element_type_name(tensor.data_type()) + ") of " + subject.label +
                " make no number of bytes, so its external data cannot be read.",
            subject.model_path);
  }
  return *bytes;
}

bool inside(const fs::path& folder, const fs::path& path) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  (void)rest;
  return end == folder.end();
}

/// std::filesystem's canonical, or an empty path.
fs::path real_path(const fs::path& path) {
  std::error_code error;
  fs::path real = fs::canonical(path, error);
  return error ? fs::path() : real;
}

/// Elements are read in place, so they must lie on a boundary of their size; an odd offset costs a copy. More is not
/// asked for: many exporters write one tensor right behind the other.
std::size_t add_aligned(TensorStore& store, std::span<const std::byte> bytes, int element_bytes,
                        std::shared_ptr<const MappedFile> file) {
  const auto boundary = static_cast<std::uintptr_t>(std::max(element_bytes, 1));
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % boundary == 0) {
    return store.add_mapped(bytes, std::move(file));
  }
  const auto copy = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
  return store.add(*copy, copy);
}

}  // namespace

ExternalFiles::ExternalFiles(const std::string& model_path)
    : model_path_(model_path), folder_(fs::path(model_path).parent_path()) {
  if (folder_.empty()) folder_ = ".";
}

fs::path ExternalFiles::checked_path(const std::string& location, const std::string& tensor) const {
  const std::string what = "The data of " + tensor + " is in " + in_quotes(location);
  const std::string cure = "Put the data file into the model's folder and name it by its relative path.";
  const bool drive = location.size() > 1 && location[1] == ':';
  if (location.front() == '/' || location.front() == '\\' || drive) {
    invalid(what + ", an absolute path; external data must lie in the model's folder.", model_path_, cure);
  }
  if (location.find('\0') != std::string::npos) {
    invalid(what + ", which holds a zero byte and so names no file.", model_path_, cure);
  }
  const fs::path normal = fs::path(location).lexically_normal();
  if (!normal.empty() && *normal.begin() == "..") {
    invalid(what + ", a path that leaves the model's folder.", model_path_, cure);
  }
  const fs::path path = folder_ / normal;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    invalid(what + ", but there is no such file in the model's folder.", model_path_,
            "Copy the data file next to the model; models with external data are moved together with it.");
  }
  if (!fs::is_regular_file(status)) invalid(what + ", which is not a regular file.", model_path_, cure);
  const fs::path real = real_path(path);
  const bool beside_model = inside(real_path(folder_), real);
  const bool beside_real_model = inside(real_path(model_path_).parent_path(), real);
  if (real.empty() || (!beside_model && !beside_real_model)) {
    invalid(what + ", a symbolic link that leaves the model's folder.", model_path_,
            "Replace the link by the file itself.");
  }
  return path;
}

std::shared_ptr<const MappedFile> ExternalFiles::open(const std::string& location, const std::string& tensor) {
  const fs::path path = checked_path(location, tensor);
  auto& file = files_[path.lexically_relative(folder_).generic_string()];
  if (!file) file = std::make_shared<const MappedFile>(path.string());
  return file;
}

void resolve_external(TensorProto& tensor, const std::string& label, ExternalFiles& files, TensorStore& store,
                      const std::string& model_path) {
  const Subject subject{label, model_path};
  const Reference reference = parse_reference(tensor, subject);
  if (data_field(tensor) != TensorField::kRaw || !tensor.raw_data().empty() || !tensor.string_data().empty()) {
    invalid("The data of " + label + " is external, but the model file holds numbers for it too.", model_path);
  }
  const std::int64_t expected = expected_bytes(tensor, subject);
  if (reference.length && *reference.length != expected) {
    invalid("The external data of " + label + " is " + std::to_string(*reference.length) +
                " bytes long, but its dims and type need " + std::to_string(expected) + ".",
            model_path);
  }
  const auto file = files.open(reference.location, label);
  const std::span<const std::byte> all = file->bytes();
  const auto offset = static_cast<std::uint64_t>(reference.offset);
  const auto length = static_cast<std::uint64_t>(expected);
  if (offset > all.size() || length > all.size() - offset) {
    invalid("The external file " + in_quotes(reference.location) + " is too short for " + label + ": it has " +
                std::to_string(all.size()) + " bytes, and " + std::to_string(expected) + " are wanted from byte " +
                std::to_string(reference.offset) + ".",
            model_path, "The file is probably cut off; copy or download it again.");
  }
  const auto bytes = all.subspan(offset, length);
  if (bytes.size() >= kStoreThresholdBytes) {
    point_to_store(tensor, add_aligned(store, bytes, element_bits(tensor.data_type()) / 8, file), bytes.size());
    return;
  }
  tensor.clear_external_data();
  tensor.clear_data_location();
  tensor.set_raw_data(bytes.data(), bytes.size());
}

}  // namespace mpq::graph
