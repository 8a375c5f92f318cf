#include <algorithm>
#include <cstring>
#include <span>
#include <unordered_map>

#include "mpq/error.h"
#include "mpq/weights.h"

#include "encode/encode.h"
#include "encode/function_body.h"
#include "graph/model_impl.h"
#include "quantize/grid.h"
#include "quantize/packing.h"

// Storage forms read backwards: packed bytes, scales and codebook to floats.

namespace mpq {

namespace {

using onnx::TensorProto;
using Extents = std::vector<std::int64_t>;

/// One call of an unpacking function, and where its tensors are.
class Call {
 public:
  Call(const onnx::NodeProto& node, const std::unordered_map<std::string, const TensorProto*>& tensors,
       const graph::TensorStore& store)
      : node_(node), tensors_(tensors), store_(store) {}

  bool named(const std::string& part) const { return node_.op_type().find(part) != std::string::npos; }
  /// The digit of "Unpack3bit...".
  int bits() const {
    const char digit = node_.op_type().size() > kStem.size() ? node_.op_type()[kStem.size()] : '0';
    if (digit < '2' || digit > '8') fail("is called '" + node_.op_type() + "', which names no width from 2 to 8");
    return digit - '0';
  }
  const TensorProto& tensor(int input) const {
    const auto found = input < node_.input_size() ? tensors_.find(node_.input(input)) : tensors_.end();
    if (found == tensors_.end()) fail("lacks the constant for its input " + std::to_string(input));
    return *found->second;
  }
  std::span<const std::byte> bytes(int input, std::string& scratch) const {
    return graph::raw_bytes(tensor(input), store_, scratch);
  }
  const onnx::AttributeProto* attribute(const std::string& name) const {
    for (const onnx::AttributeProto& each : node_.attribute()) {
      if (each.name() == name) return &each;
    }
    return nullptr;
  }
  /// As FunctionBody's callers write it: integers, or before opset 12 a tensor.
  Extents integers(const std::string& name) const {
    const onnx::AttributeProto* found = attribute(name);
    if (found == nullptr) return {};
    if (found->type() != onnx::AttributeProto::TENSOR) return {found->ints().begin(), found->ints().end()};
    std::string scratch;
    const auto raw = graph::raw_bytes(found->t(), store_, scratch);
    if (found->t().data_type() == TensorProto::DOUBLE) {
      std::vector<double> numbers(raw.size() / sizeof(double));
      std::memcpy(numbers.data(), raw.data(), numbers.size() * sizeof(double));
      return {numbers.begin(), numbers.end()};
    }
    Extents numbers(raw.size() / sizeof(std::int64_t));
    std::memcpy(numbers.data(), raw.data(), numbers.size() * sizeof(std::int64_t));
    return numbers;
  }
  float unit() const {
    const onnx::AttributeProto* found = attribute("unit");
    if (found == nullptr) fail("lacks the attribute 'unit'");
    if (found->type() != onnx::AttributeProto::TENSOR) return found->f();
    std::string scratch;
    float number = 0;
    const auto raw = graph::raw_bytes(found->t(), store_, scratch);
    std::memcpy(&number, raw.data(), std::min(raw.size(), sizeof number));
    return number;
  }
  const std::string& output() const { return node_.output(0); }
  const std::string& function() const { return node_.op_type(); }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::kInvalidInput, "The node that unpacks the weight " + what + ".", node_.output(0),
                "The model was changed after mpq wrote it; write it again.");
  }

  static constexpr std::string_view kStem = "Unpack";

 private:
  const onnx::NodeProto& node_;
  const std::unordered_map<std::string, const TensorProto*>& tensors_;
  const graph::TensorStore& store_;
};

Extents dims_of(const TensorProto& tensor) { return {tensor.dims().begin(), tensor.dims().end()}; }

template <typename T>
std::vector<T> numbers_of(std::span<const std::byte> bytes) {
  std::vector<T> result(bytes.size() / sizeof(T));
  if (!result.empty()) std::memcpy(result.data(), bytes.data(), result.size() * sizeof(T));
  return result;
}

/// Two signed numbers a byte, the first in the low half (ONNX's INT4).
std::vector<std::int8_t> nibbles_of(std::span<const std::byte> bytes, std::size_t count) {
  std::vector<std::int8_t> result(count);
  for (std::size_t i = 0; i < count; ++i) {
    const int nibble = std::to_integer<int>(i % 2 == 0 ? bytes[i / 2] & std::byte{0xf} : bytes[i / 2] >> 4);
    result[i] = static_cast<std::int8_t>(nibble < 8 ? nibble : nibble - 16);
  }
  return result;
}

void look_up(const Call& call, int bits, std::vector<std::int8_t>& numbers) {
  std::string scratch;
  const std::vector<std::int8_t> codebook = numbers_of<std::int8_t>(call.bytes(2, scratch));
  if (codebook.size() != std::size_t{1} << bits) {
    call.fail("has a codebook of " + std::to_string(codebook.size()) + " entries for " + std::to_string(bits) +
              " bits");
  }
  const int middle = 1 << (bits - 1);
  for (std::int8_t& number : numbers) number = codebook[static_cast<std::size_t>(number + middle)];
}

std::vector<std::int8_t> integers_of(const Call& call, std::size_t count) {
  std::string scratch;
  const std::span<const std::byte> bytes = call.bytes(0, scratch);
  const auto type = call.tensor(0).data_type();
  const bool nibbles = type == TensorProto::INT4;
  if (type != TensorProto::UINT8 && bytes.size() != (nibbles ? (count + 1) / 2 : count)) {
    call.fail("has " + std::to_string(bytes.size()) + " bytes for " + std::to_string(count) + " numbers");
  }
  if (nibbles) return nibbles_of(bytes, count);
  if (type != TensorProto::UINT8) return numbers_of<std::int8_t>(bytes);
  std::vector<std::int8_t> numbers =
      quant::unpack({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, call.bits(), count);
  if (call.named("Codebook")) look_up(call, call.bits(), numbers);
  return numbers;
}

/// The place of every number's scale, for scales that broadcast to `view` with their last axes in line.
std::vector<std::size_t> broadcast_places(const Call& call, const Extents& view, const Extents& scales) {
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

std::vector<std::size_t> scale_places(const Call& call, const Extents& shape) {
  Extents view = shape;
  Extents scales = dims_of(call.tensor(1));
  const onnx::AttributeProto* block = call.attribute("block");
  if (block != nullptr) {  // [K, N] with scales [K / block, N]
    if (shape.size() != 2 || block->i() < 1 || shape[0] % block->i() != 0) call.fail("has blocks that do not fit");
    view = {shape[0] / block->i(), block->i(), shape[1]};
    if (scales.size() == 2) scales.insert(scales.begin() + 1, 1);
  } else if (call.named("Blocks")) {
    view = call.integers("view");
    if (view.empty()) view = dims_of(call.tensor(0));
  }
  return broadcast_places(call, view, scales);
}

StoredWeight unpacked(const Call& call) {
  Extents shape = call.integers("shape");
  if (shape.empty()) shape = dims_of(call.tensor(0));
  StoredWeight weight{call.output(), call.function(), Tensor(DType::kFloat32, shape)};
  const auto count = static_cast<std::size_t>(weight.value.size());
  const std::vector<std::int8_t> numbers = integers_of(call, count);
  const std::vector<std::size_t> places = scale_places(call, shape);
  std::string scratch;
  const std::vector<std::uint16_t> scales = numbers_of<std::uint16_t>(call.bytes(1, scratch));
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

StoredWeight widened(const Call& call) {
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
    const Call call(node, tensors, *impl.store);
    if (node.domain() == encode::kFunctionDomain) result.push_back(unpacked(call));
    if (is_half(node) && tensors.count(node.input(0)) > 0) result.push_back(widened(call));
  }
  return result;
}

}  // namespace mpq
