#include <algorithm>
#include <cstring>
#include <span>
#include <unordered_map>

#include "mpq/error.h"
#include "mpq/weights.h"

#include "encode/encode.h"
#include "encode/function_body.h"
#include "encode/unpack_call.h"
#include "graph/model_impl.h"
#include "quantize/grid.h"
#include "quantize/packing.h"

// Storage forms read backwards: packed bytes and scales to floats.

namespace mpq {

namespace {

using encode::dims_of;
using encode::Extents;
using encode::numbers_of;
using encode::UnpackCall;
using onnx::TensorProto;

/// Two signed numbers a byte, the first in the low half (ONNX's INT4).
std::vector<std::int8_t> nibbles_of(std::span<const std::byte> bytes, std::size_t count) {
  std::vector<std::int8_t> result(count);
  for (std::size_t i = 0; i < count; ++i) {
    const int nibble = std::to_integer<int>(i % 2 == 0 ? bytes[i / 2] & std::byte{0xf} : bytes[i / 2] >> 4);
    result[i] = static_cast<std::int8_t>(nibble < 8 ? nibble : nibble - 16);
  }
  return result;
}

std::vector<std::int8_t> integers_of(const UnpackCall& call, std::size_t count) {
  std::string scratch;
  const std::span<const std::byte> bytes = call.bytes(0, scratch);
  const auto type = call.tensor(0).data_type();
  const bool nibbles = type == TensorProto::INT4;
  if (type != TensorProto::UINT8 && bytes.size() != (nibbles ? (count + 1) / 2 : count)) {
    call.fail("has " + std::to_string(bytes.size()) + " bytes for " + std::to_string(count) + " numbers");
  }
  if (nibbles) return nibbles_of(bytes, count);
  if (type != TensorProto::UINT8) return numbers_of<std::int8_t>(bytes);
  if (call.named("Trellis")) return encode::walked_trellis(call, count);
  return quant::unpack({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, call.bits(), count);
}

/// The place of every number's scale, for scales that broadcast to `view` with their last axes in line.
std::vector<std::size_t> broadcast_places(const UnpackCall& call, const Extents& view, const Extents& scales) {
  if (scales.size() > view.size()) call.fail("has scales of more axes than the weight");
  const std::size_t lead = view.size() - scales.size();
  std::vector<std::size_t> places{0};
  for (std::size_t axis = 0; axis < view.size(); ++axis) {
    const std::int64_t extent = axis < lead ? 1 : scales[axis - lead];
    if (extent != 1 && extent != view[axis]) call.fail("has scales that do not fit the weight's shape");
    std::vector<std::size_t> finer;
    finer.reserve(places.size() * static_cast<std::size_t>(view[axis]));
    for (const std::size_t place : places) {
      for (std::int64_t i = 0; i < view[axis]; ++i) {
        finer.push_back(place * static_cast<std::size_t>(extent) + static_cast<std::size_t>(extent == 1 ? 0 : i));
      }
    }
    places = std::move(finer);
  }
  return places;
}

bool has_row_widths(const UnpackCall& call) { return call.widths().size() > 1; }

/// Behind the packed numbers, of which there is a tensor for each width.
int scales_input(const UnpackCall& call) { return static_cast<int>(call.widths().size()); }

std::vector<std::size_t> scale_places(const UnpackCall& call, const Extents& shape) {
  Extents view = shape;
  Extents scales = dims_of(call.tensor(scales_input(call)));
  const onnx::AttributeProto* block = call.attribute("block");
  if (block != nullptr) {  // [K, N] with scales [K / block, N]
    if (shape.size() != 2 || block->i() < 1 || shape[0] % block->i() != 0) call.fail("has blocks that do not fit");
    view = {shape[0] / block->i(), block->i(), shape[1]};
    if (scales.size() == 2) scales.insert(scales.begin() + 1, 1);
  } else if (call.named("Blocks")) {
    view = call.integers("view");
    if (view.empty()) view = dims_of(call.tensor(0));
  } else if (call.named("Rows")) {  // [N, ...] with scales [N], as DequantizeLinear takes them
    scales.resize(std::max<std::size_t>(shape.size(), 1), 1);
  }
  return broadcast_places(call, view, scales);
}

encode::ShapedNumbers plain_numbers(const UnpackCall& call) {
  Extents shape = call.integers("turned");
  if (shape.empty()) shape = call.integers("shape");
  if (shape.empty()) shape = dims_of(call.tensor(0));
  std::size_t count = 1;
  for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
  return encode::turned_back(call, {shape, integers_of(call, count)});
}

StoredWeight unpacked(const UnpackCall& call) {
  const auto [shape, numbers] = has_row_widths(call) ? encode::joined_rows(call) : plain_numbers(call);
  StoredWeight weight{call.output(), call.function(), Tensor(DType::kFloat32, shape)};
  const auto count = static_cast<std::size_t>(weight.value.size());
  const std::vector<std::size_t> places = scale_places(call, shape);
  std::string scratch;
  const std::vector<std::uint16_t> scales = numbers_of<std::uint16_t>(call.bytes(scales_input(call), scratch));
  if (places.size() != count) call.fail("has scales that do not fit the weight's shape");
  const float unit = call.unit();
  const std::span<float> values = weight.value.as_mutable<float>();
  for (std::size_t i = 0; i < count; ++i) {
    if (places[i] >= scales.size()) call.fail("has fewer scales than its shape says");
    values[i] = static_cast<float>(numbers[i]) * (quant::from_half(scales[places[i]]) * unit);
  }
  return weight;
}

/// Half floats that mpq wrote: a Cast of an initializer it named w<i>.h.
bool is_half(const onnx::NodeProto& node) {
  return node.op_type() == "Cast" && node.input_size() == 1 && node.input(0).starts_with("w") &&
         node.input(0).find(".h") != std::string::npos;
}

StoredWeight widened(const UnpackCall& call) {
  StoredWeight weight{call.output(), call.function(), Tensor(DType::kFloat32, dims_of(call.tensor(0)))};
  std::string scratch;
  const std::vector<std::uint16_t> halves = numbers_of<std::uint16_t>(call.bytes(0, scratch));
  const std::span<float> values = weight.value.as_mutable<float>();
  for (std::size_t i = 0; i < std::min(values.size(), halves.size()); ++i) values[i] = quant::from_half(halves[i]);
  return weight;
}

}  // namespace

std::vector<StoredWeight> stored_weights(const Model& model) {
  const Model::Impl& impl = model.impl();
  std::vector<StoredWeight> result;
  if (encode::embedded_plan(model).empty()) return result;
  std::unordered_map<std::string, const TensorProto*> tensors;
  for (const TensorProto& tensor : impl.proto.graph().initializer()) tensors[tensor.name()] = &tensor;
  for (const onnx::NodeProto& node : impl.proto.graph().node()) {
    const UnpackCall call(node, tensors, *impl.store);
    const bool unpacks = node.domain() == encode::kFunctionDomain && node.op_type().starts_with(UnpackCall::kStem);
    if (unpacks) result.push_back(unpacked(call));
    if (is_half(node) && tensors.count(node.input(0)) > 0) result.push_back(widened(call));
  }
  return result;
}

}  // namespace mpq
