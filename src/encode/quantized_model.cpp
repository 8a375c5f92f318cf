#include "encode/quantized_model.h"

#include <filesystem>
#include <limits>

#include "graph/model_impl.h"

namespace mpq {

std::int64_t QuantizedModel::bytes() const { return impl_->bytes; }
const Plan& QuantizedModel::plan() const { return impl_->plan; }
const std::vector<WrittenLayer>& QuantizedModel::layers() const { return impl_->layers; }
const Model& QuantizedModel::model() const { return impl_->model; }

void QuantizedModel::save(const std::string& path) const {
  const Model::Impl& contents = impl_->model.impl();
  std::string external_name;
  if (impl_->external) external_name = std::filesystem::path(path).filename().string() + ".data";
  graph::write_model(contents.proto, *contents.store, path, external_name, true);
}

namespace encode {

bool needs_external_data(const Model::Impl& impl) {
  constexpr std::int64_t kRoom = std::int64_t{1} << 20;  // for lengths and names that are not counted here
  std::int64_t total = static_cast<std::int64_t>(impl.proto.ByteSizeLong()) + kRoom;
  for (const onnx::TensorProto& tensor : impl.proto.graph().initializer()) {
    if (graph::in_store(tensor)) {
      total += static_cast<std::int64_t>(impl.store->bytes(graph::store_index(tensor)).size());
    }
  }
  return total > (impl.had_external_data ? kMostInsideBytes : std::numeric_limits<std::int32_t>::max());
}

std::int64_t bytes_of(const Model::Impl& impl, bool external) {
  const graph::Serialized sizes = graph::serialized_size(impl.proto, *impl.store, external ? "model.onnx.data" : "");
  return sizes.model_bytes + sizes.external_bytes;
}

}  // namespace encode
}  // namespace mpq
