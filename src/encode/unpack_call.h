#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <onnx/onnx_pb.h>

#include "mpq/error.h"

#include "graph/model_impl.h"

namespace mpq::encode {

using Extents = std::vector<std::int64_t>;

/// One call of an unpacking function, and where its tensors are.
class UnpackCall {
 public:
  UnpackCall(const onnx::NodeProto& node, const std::unordered_map<std::string, const onnx::TensorProto*>& tensors,
             const graph::TensorStore& store)
      : node_(node), tensors_(tensors), store_(store) {}

  bool named(const std::string& part) const { return node_.op_type().find(part) != std::string::npos; }
  /// The digits of "Unpack3bit..." or "Unpack245bitMixed...".
  std::vector<int> widths() const {
    std::vector<int> result;
    const std::string& name = node_.op_type();
    for (std::size_t i = kStem.size(); i < name.size() && name[i] != 'b'; ++i) result.push_back(name[i] - '0');
    const bool known = std::all_of(result.begin(), result.end(), [](int width) { return width >= 2 && width <= 8; });
    if (result.empty() || !known) fail("is called '" + name + "', which names no width from 2 to 8");
    return result;
  }
  int bits() const { return widths().front(); }
  const onnx::TensorProto& tensor(int input) const {
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
    if (found->t().data_type() == onnx::TensorProto::DOUBLE) {
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
  const std::unordered_map<std::string, const onnx::TensorProto*>& tensors_;
  const graph::TensorStore& store_;
};

inline Extents dims_of(const onnx::TensorProto& tensor) { return {tensor.dims().begin(), tensor.dims().end()}; }

/// Raw bytes as numbers.
template <typename T>
std::vector<T> numbers_of(std::span<const std::byte> bytes) {
  std::vector<T> result(bytes.size() / sizeof(T));
  if (!result.empty()) std::memcpy(result.data(), bytes.data(), result.size() * sizeof(T));
  return result;
}

/// Integers in C order of a shape.
struct ShapedNumbers {
  Extents shape;
  std::vector<std::int8_t> numbers;
};
/// Of a call whose rows have widths of their own: the weight's.
ShapedNumbers joined_rows(const UnpackCall& call);  // decode_rows.cpp
/// Of a call whose numbers lie by other axes: the weight's; else `stored` itself.
ShapedNumbers turned_back(const UnpackCall& call, ShapedNumbers stored);  // decode_turned.cpp
/// The numbers of a trellis as they lie in the file.
std::vector<std::int8_t> walked_trellis(const UnpackCall& call, std::size_t count);  // decode_trellis.cpp

}  // namespace mpq::encode
