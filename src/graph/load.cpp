#include <algorithm>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>

#include <google/protobuf/io/coded_stream.h>

#include "graph/external_data.h"
#include "graph/file_kinds.h"
#include "graph/model_impl.h"
#include "graph/tensor_checks.h"
#include "graph/visit.h"
#include "graph/wording.h"
#include "quantize/grid.h"
#include "support/files.h"
#include "support/hash.h"

namespace fs = std::filesystem;

namespace mpq {

namespace {

using onnx::TensorProto;

void check_file(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) {
    graph::invalid("The model path is a folder; mpq reads one .onnx file.", path, "Name the .onnx file in it.");
  }
  // A pipe would block, and none of them can be mapped.
  if (fs::exists(status) && !fs::is_regular_file(status)) graph::invalid("The model path is not a regular file.", path);
}

void check_size(std::size_t bytes, const std::string& path) {
  if (bytes == 0) graph::invalid("The model file is empty.", path, "Copy or download it again.");
  if (bytes > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    graph::invalid(
        "The model file has " + std::to_string(bytes) + " bytes, and protobuf files end at 2 GiB (2147483647 bytes).",
        path, "Save the model with external data, which has no such limit.");
  }
}

bool parse(std::span<const std::byte> bytes, int nesting, onnx::ModelProto& model) {
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  stream.SetTotalBytesLimit(std::numeric_limits<int>::max());
  stream.SetRecursionLimit(nesting);
  return model.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage();
}

onnx::ModelProto parse_model(std::span<const std::byte> bytes, const std::string& path) {
  // Protobuf's own default, which ONNX Runtime keeps: about thirty subgraphs inside each other.
  constexpr int kNesting = 100;
  // Far beyond any network; a hostile file could otherwise turn every two bytes into an object of two hundred.
  constexpr std::int64_t kFields = std::int64_t{1} << 24;
  const graph::Structure structure = graph::scan_structure(bytes, kNesting, kFields);
  if (structure.nesting > kNesting) {
    graph::invalid("The model nests its subgraphs deeper than " + std::to_string(kNesting) +
                       " protobuf messages, more than runtimes read.",
                   path, "Export it with fewer If, Loop and Scan nodes inside each other.");
  }
  if (structure.fields > kFields) {
    graph::invalid("The model consists of more than " + std::to_string(kFields) +
                       " parts (nodes, attributes, tensors, names), so it is damaged or hostile.",
                   path);
  }
  onnx::ModelProto model;
  if (parse(bytes, kNesting, model)) return model;
  const graph::FileKind kind = graph::recognize(bytes);
  graph::invalid(kind.what, path, kind.cure);
}

/// Every byte of the file, of which no more than a little is ever held in memory.
void add_to_hash(const MappedFile& file, Sha256& hash) {
  constexpr std::size_t kAtOnce = std::size_t{8} << 20;
  for (std::size_t begin = 0; begin < file.bytes().size(); begin += kAtOnce) {
    const auto part = file.bytes().subspan(begin, std::min(kAtOnce, file.bytes().size() - begin));
    hash.update(part);
    file.release(part);
  }
}

ModelFacts facts_of(const std::string& path, const MappedFile& file, const graph::ExternalFiles& external) {
  Sha256 hash;
  add_to_hash(file, hash);
  auto bytes = static_cast<std::int64_t>(file.bytes().size());
  for (const auto& [name, data] : external.opened()) {
    add_to_hash(*data, hash);
    bytes += static_cast<std::int64_t>(data->bytes().size());
  }
  return {path, hash.hex(), bytes};
}

template <typename Element, typename Convert>
std::vector<float> convert(std::span<const std::byte> bytes, const Convert& to_float) {
  std::vector<float> values(bytes.size() / sizeof(Element));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Element element;
    std::memcpy(&element, bytes.data() + i * sizeof element, sizeof element);
    values[i] = to_float(element);
  }
  return values;
}

/// A bfloat16 is the upper half of a float32.
float from_bfloat16(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
  float value = 0;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

/// Empty for types that hold no floating-point numbers.
std::optional<std::vector<float>> as_floats(int type, std::span<const std::byte> bytes) {
  switch (type) {
    case TensorProto::FLOAT:
      return convert<float>(bytes, [](float value) { return value; });
    case TensorProto::DOUBLE:
      return convert<double>(bytes, [](double value) { return static_cast<float>(value); });
    case TensorProto::FLOAT16:
      return convert<std::uint16_t>(bytes, quant::from_half);
    case TensorProto::BFLOAT16:
      return convert<std::uint16_t>(bytes, from_bfloat16);
    default:
      return std::nullopt;
  }
}

}  // namespace

Model Model::load(const std::string& path) {
  check_file(path);
  const MappedFile file(path);
  check_size(file.bytes().size(), path);
  const auto impl = std::make_shared<Impl>();
  impl->proto = parse_model(file.bytes(), path);

  const auto store = std::make_shared<graph::TensorStore>();
  graph::ExternalFiles external(path);
  graph::for_each_tensor(impl->proto, [&](TensorProto& tensor, const graph::TensorPlace& place) {
    if (tensor.data_location() == TensorProto::EXTERNAL) {
      graph::resolve_external(tensor, graph::tensor_label(tensor, place), external, *store, path);
    } else {
      graph::move_to_store(tensor, *store);
    }
  });
  impl->store = store;
  impl->had_external_data = !external.opened().empty();
  graph::complete(*impl, path);
  impl->facts = facts_of(path, file, external);
  return Model(impl);
}

const ModelFacts& Model::facts() const { return impl_->facts; }
std::int64_t Model::opset() const { return impl_->opset; }
std::int64_t Model::ir_version() const { return impl_->proto.ir_version(); }
const std::string& Model::producer() const { return impl_->producer; }
const std::vector<ValueInfo>& Model::inputs() const { return impl_->inputs; }
const std::vector<ValueInfo>& Model::outputs() const { return impl_->outputs; }
const std::vector<Layer>& Model::layers() const { return impl_->layers; }
const std::vector<Finding>& Model::findings() const { return impl_->findings; }
const std::vector<std::string>& Model::quantized_parts() const { return impl_->quantized_parts; }

std::vector<float> Model::weight(std::size_t index) const {
  const TensorProto& tensor = graph::tensor_at(impl_->proto, impl_->sites.at(index));
  std::string scratch;
  const std::span<const std::byte> bytes = graph::raw_bytes(tensor, *impl_->store, scratch);
  if (auto values = as_floats(tensor.data_type(), bytes)) {
    // The copy is enough: the mapped bytes of all layers together may exceed the memory.
    if (graph::in_store(tensor)) impl_->store->release(graph::store_index(tensor));
    return *std::move(values);
  }
  graph::unsupported("The weight of layer " + graph::in_quotes(impl_->layers.at(index).name) + " has the type " +
                         impl_->layers.at(index).dtype + "; only floating-point weights have values as floats.",
                     impl_->facts.path);
}

}  // namespace mpq
