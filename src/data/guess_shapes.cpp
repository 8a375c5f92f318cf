#include "data/guess_shapes.h"

#include <algorithm>
#include <exception>
#include <optional>

#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include "graph/model_impl.h"

namespace mpq::data {
namespace {

/// What to try for free extents: of planes (images, features of rank 4), and of everything else (sequences).
/// `inner`: of axes between the first and the last, where 0 stands for the same length; a state of a recurrent layer
/// has its batch there.
struct Sizes {
  std::int64_t plane;
  std::int64_t length;
  std::int64_t inner = 0;
};
constexpr Sizes kTrials[] = {{64, 16}, {224, 16}, {32, 32}, {28, 64}, {96, 128}, {128, 256}, {256, 512}, {299, 1024}};

std::optional<std::int64_t> demanded(const InputHints& hints, int axis, int rank) {
  for (const int key : {axis, axis - rank}) {
    if (const auto found = hints.extents.find(key); found != hints.extents.end()) return found->second;
  }
  return std::nullopt;
}

std::int64_t guess(const ValueInfo& input, int axis, const InputHints& hints, const Sizes& sizes) {
  const int rank = static_cast<int>(input.shape.size());
  if (const auto extent = demanded(hints, axis, rank)) return *extent;
  if (axis == 0) return 1;
  if (rank != 4) return axis + 1 < rank && sizes.inner > 0 ? sizes.inner : sizes.length;
  return axis == 1 && input.shape[3] != 1 && input.shape[3] != 3 ? 3 : sizes.plane;
}

Shapes shapes_with(const Model& model, const std::map<std::string, InputHints>& hints, const Sizes& sizes) {
  Shapes shapes;
  std::map<std::string, std::int64_t> symbols;
  for (const ValueInfo& input : model.inputs()) {
    std::vector<std::int64_t>& shape = shapes[input.name];
    for (std::size_t axis = 0; axis < input.shape.size(); ++axis) {
      std::int64_t extent = input.shape[axis];
      const std::string symbol = axis < input.symbols.size() ? input.symbols[axis] : std::string();
      if (extent < 0) {
        extent = guess(input, static_cast<int>(axis), hints.at(input.name), sizes);
        if (!symbol.empty()) extent = symbols.emplace(symbol, extent).first->second;
      }
      shape.push_back(extent);
    }
  }
  return shapes;
}

bool consistent(const Model& model, const Shapes& shapes) {
  onnx::ModelProto proto = model.impl().proto;
  for (onnx::ValueInfoProto& input : *proto.mutable_graph()->mutable_input()) {
    const auto found = shapes.find(input.name());
    if (found == shapes.end() || !input.type().has_tensor_type()) continue;
    onnx::TensorShapeProto* shape = input.mutable_type()->mutable_tensor_type()->mutable_shape();
    shape->clear_dim();
    for (const std::int64_t extent : found->second) shape->add_dim()->set_dim_value(extent);
  }
  try {
    onnx::shape_inference::InferShapes(proto, onnx::OpSchemaRegistry::Instance(),
                                       onnx::ShapeInferenceOptions(false, 1, true));
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

bool all_fixed(const Model& model) {
  for (const ValueInfo& input : model.inputs()) {
    for (const std::int64_t extent : input.shape) {
      if (extent < 0) return false;
    }
  }
  return true;
}

std::vector<Shapes> guess_shapes(const Model& model, const std::map<std::string, InputHints>& hints) {
  if (all_fixed(model)) return {shapes_with(model, hints, kTrials[0])};
  std::vector<Shapes> good, doubtful;
  for (const std::int64_t inner : {0, 1}) {
    for (Sizes sizes : kTrials) {
      sizes.inner = inner;
      Shapes shapes = shapes_with(model, hints, sizes);
      if (std::ranges::count(good, shapes) + std::ranges::count(doubtful, shapes) > 0) continue;
      (consistent(model, shapes) ? good : doubtful).push_back(std::move(shapes));
    }
  }
  good.insert(good.end(), doubtful.begin(), doubtful.end());
  return good;
}

}  // namespace mpq::data
