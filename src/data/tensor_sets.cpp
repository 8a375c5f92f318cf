#include <algorithm>
#include <charconv>
#include <optional>

#include <onnx/onnx_pb.h>

#include "mpq/error.h"

#include "data/fit.h"
#include "data/folders.h"
#include "graph/model_impl.h"
#include "graph/tensor_store.h"
#include "graph/types.h"
#include "graph/wording.h"
#include "support/files.h"

namespace mpq::data {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSetPrefix = "test_data_set_";

[[noreturn]] void refuse(const std::string& what, const std::string& where) {
  throw Error(ErrorCode::kInvalidInput, what, where, "Expected are test_data_set_<n>/input_<i>.pb, one tensor each.");
}

/// The number behind the prefix, so that set 10 comes after set 9.
std::optional<int> set_number(const fs::path& folder) {
  const std::string name = folder.filename().string();
  if (!name.starts_with(kSetPrefix)) return std::nullopt;
  int number = 0;
  const auto [end, error] = std::from_chars(name.data() + kSetPrefix.size(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

std::vector<fs::path> sets_in(const fs::path& folder) {
  if (fs::is_regular_file(folder / "input_0.pb")) return {folder};
  std::vector<std::pair<int, fs::path>> numbered;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::optional<int> number = entry.is_directory() ? set_number(entry.path()) : std::nullopt;
    if (number) numbered.emplace_back(*number, entry.path());
  }
  std::sort(numbered.begin(), numbered.end());
  std::vector<fs::path> sets;
  for (const auto& [number, path] : numbered) sets.push_back(path);
  return sets;
}

Tensor read_tensor(const fs::path& path) {
  const MappedFile file(path.string());
  const auto bytes = file.bytes();
  onnx::TensorProto proto;
  if (bytes.size() > std::size_t{1} << 31 || !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    refuse("The file is no ONNX tensor (TensorProto).", path.string());
  }
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    refuse("The tensor keeps its data in another file, which test data must not.", path.string());
  }
  const std::optional<std::int64_t> count = graph::safe_element_count(proto.dims());
  const DType type = graph::dtype_of(proto.data_type());
  if (!count || type == DType::kString) {
    refuse("The tensor has an impossible shape or holds strings.", path.string());
  }
  std::string scratch;
  const auto raw = graph::raw_bytes(proto, graph::TensorStore(), scratch);
  if (static_cast<std::uint64_t>(*count) != raw.size() / dtype_size(type) || raw.size() % dtype_size(type) != 0) {
    refuse("The tensor announces " + std::to_string(*count) + " elements of type " + dtype_name(type) + " but holds " +
               std::to_string(raw.size()) + " bytes.",
           path.string());
  }
  Tensor tensor(type, {proto.dims().begin(), proto.dims().end()});
  std::copy(raw.begin(), raw.end(), tensor.mutable_data());
  return tensor;
}

Feed read_set(const fs::path& set, const Model& model) {
  Feed feed;
  for (std::size_t i = 0; i < model.inputs().size(); ++i) {
    const ValueInfo& input = model.inputs()[i];
    const fs::path file = set / ("input_" + std::to_string(i) + ".pb");
    if (!fs::is_regular_file(file)) {
      refuse("The data set has no " + file.filename().string() + " for the model's input " +
                 graph::in_quotes(input.name) + " (" + type_text(input) + ").",
             set.string());
    }
    feed[input.name] = fit(read_tensor(file), input, {"The tensor " + file.filename().string(), set.string()});
  }
  return feed;
}

}  // namespace

bool holds_tensor_sets(const fs::path& folder) { return !sets_in(folder).empty(); }

std::vector<Feed> feeds_of_tensor_sets(const fs::path& folder, const Model& model, std::int64_t limit) {
  std::vector<Feed> feeds;
  for (const fs::path& set : sets_in(folder)) {
    if (limit > 0 && static_cast<std::int64_t>(feeds.size()) == limit) break;
    feeds.push_back(read_set(set, model));
  }
  return feeds;
}

}  // namespace mpq::data
