#include "graph/integer_products.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "graph/types.h"
#include "graph/weight_roles.h"

namespace mpq::graph {

namespace {

using onnx::NodeProto;
using onnx::TensorProto;

/// What ONNX Runtime's quantizer writes for a product of integers, from its end.
struct ScaledProduct {
  const NodeProto* product = nullptr;
  std::string scales[2];  ///< of its operands, in this order
};

bool is_scale_of(const std::string& scale, const std::string& integers, const GraphWriter& out) {
  const NodeProto* rounding = out.producer(integers);
  if (rounding == nullptr) return false;
  if (rounding->op_type() == "DynamicQuantizeLinear")
    return rounding->output_size() > 1 && rounding->output(1) == scale;
  return rounding->op_type() == "QuantizeLinear" && rounding->input(1) == scale;
}

/// MatMulInteger or ConvInteger -> Cast -> `node` = Mul by Mul(scale of a, scale of b).
std::optional<ScaledProduct> scaled_product_of(const NodeProto& node, const GraphWriter& out) {
  if (node.op_type() != "Mul") return std::nullopt;
  for (const int at : {0, 1}) {
    const NodeProto* cast = out.producer(node.input(at));
    if (cast == nullptr || cast->op_type() != "Cast" || int_attribute(*cast, "to", 0) != TensorProto::FLOAT) continue;
    const NodeProto* product = out.producer(cast->input(0));
    if (product == nullptr || (product->op_type() != "MatMulInteger" && product->op_type() != "ConvInteger")) continue;
    const NodeProto* scales = out.producer(node.input(1 - at));
    if (scales == nullptr || scales->op_type() != "Mul") return std::nullopt;
    for (const int first : {0, 1}) {
      if (!is_scale_of(scales->input(first), product->input(0), out)) continue;
      return ScaledProduct{product, {scales->input(first), scales->input(1 - first)}};
    }
  }
  return std::nullopt;
}

void copy_attributes(const NodeProto& from, NodeProto& to) {
  to.set_name(from.name());
  *to.mutable_attribute() = from.attribute();
}

/// The product itself, and the bias behind it where there is one.
void write_product(const NodeProto& node, const std::string& a, const std::string& b, const std::string& bias,
                   GraphWriter& out) {
  const std::string product = bias.empty() ? node.output(0) : out.fresh(node.output(0) + "_product");
  out.add("MatMul", {a, b}, product).set_name(node.name());
  if (!bias.empty()) out.add("Add", {product, bias}, node.output(0));
  out.replaced(node);
}

std::size_t byte_count(const TensorProto& tensor, const GraphWriter& out) {
  std::string scratch;
  return raw_bytes(tensor, out.store(), scratch).size();
}

/// The same bytes as elements of another type and shape.
TensorProto reshaped(const TensorProto& tensor, int type, const std::vector<std::int64_t>& dims,
                     const GraphWriter& out) {
  TensorProto result;
  if (in_store(tensor)) {
    result = tensor;
  } else {
    std::string scratch;
    const auto bytes = raw_bytes(tensor, out.store(), scratch);
    result.set_raw_data(bytes.data(), bytes.size());
  }
  result.set_data_type(type);
  result.clear_dims();
  for (const std::int64_t extent : dims) result.add_dims(extent);
  return result;
}

/// The zero points of MatMulNBits, one byte each: packed row by row, or in the middle where they are left out.
std::optional<TensorProto> zero_points(const TensorProto* packed, int bits, std::int64_t rows, std::int64_t blocks,
                                       const GraphWriter& out) {
  TensorProto tensor;
  std::string& numbers = *tensor.mutable_raw_data();
  numbers.assign(static_cast<std::size_t>(rows * blocks), static_cast<char>(1 << (bits - 1)));
  if (packed != nullptr) {
    const auto row_bytes = static_cast<std::size_t>((blocks * bits + 7) / 8);
    std::string scratch;
    const auto bytes = raw_bytes(*packed, out.store(), scratch);
    if (packed->data_type() != TensorProto::UINT8 || bytes.size() != static_cast<std::size_t>(rows) * row_bytes)
      return std::nullopt;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const std::size_t bit = i % static_cast<std::size_t>(blocks) * static_cast<std::size_t>(bits);
      const std::byte byte = bytes[i / static_cast<std::size_t>(blocks) * row_bytes + bit / 8];
      numbers[i] = static_cast<char>(std::to_integer<unsigned>(byte) >> (bit % 8) & ((1U << bits) - 1));
    }
  }
  return reshaped(tensor, TensorProto::UINT8, {rows, blocks}, out);
}

}  // namespace

bool IntegerProducts::visit(const NodeProto& node, GraphWriter& out) {
  if (node.op_type() == "Mul") return scaled_product(node, out);
  if (node.domain() != "com.microsoft") return false;
  if (node.op_type() == "MatMulNBits") return packed_product(node, out);
  if (node.op_type() == "DynamicQuantizeLSTM") return recurrent(node, out);
  return fused_product(node, out);
}

/// What was rounded, where it was rounded at every run over its own range; else the floats of its integers.
std::string IntegerProducts::activation(const std::string& integers, const std::string& scale,
                                        const std::string& zero_point, int axis, GraphWriter& out) {
  const NodeProto* rounding = out.producer(integers);
  if (rounding == nullptr || rounding->op_type() != "DynamicQuantizeLinear")
    return out.dequantized(integers, scale, zero_point, axis);
  rounded_.insert(integers);
  return rounding->input(0);
}

bool IntegerProducts::scaled_product(const NodeProto& node, GraphWriter& out) {
  const auto found = scaled_product_of(node, out);
  if (!found) return false;
  const NodeProto& product = *found->product;
  const bool is_matrix = product.op_type() == "MatMulInteger";
  const int rows = is_matrix ? -2 : 0, columns = is_matrix ? -1 : 0;
  const std::string a = activation(product.input(0), found->scales[0], input_name(product, 2), rows, out);
  const std::string b = activation(product.input(1), found->scales[1], input_name(product, 3), columns, out);
  copy_attributes(product, out.add(is_matrix ? "MatMul" : "Conv", {a, b}, node.output(0)));
  out.replaced(node);
  return true;
}

/// DynamicQuantizeMatMul(a, b, b's scale, zero point, bias); MatMulIntegerToFloat(a, b, both scales, zero points,
/// bias).
bool IntegerProducts::fused_product(const NodeProto& node, GraphWriter& out) {
  if (node.op_type() == "DynamicQuantizeMatMul" && node.input_size() > 2) {
    const std::string b = out.dequantized(node.input(1), node.input(2), input_name(node, 3), -1);
    write_product(node, node.input(0), b, input_name(node, 4), out);
    return true;
  }
  if (node.op_type() != "MatMulIntegerToFloat" || node.input_size() < 4) return false;
  const std::string a = activation(node.input(0), node.input(2), input_name(node, 4), -2, out);
  const std::string b = activation(node.input(1), node.input(3), input_name(node, 5), -1, out);
  write_product(node, a, b, input_name(node, 6), out);
  return true;
}

/// DynamicQuantizeLSTM has LSTM's inputs, its weights transposed, and behind them the scale and zero point of both. A
/// scale per gate of both directions lies along two axes, which no DequantizeLinear has: such a node stays.
bool IntegerProducts::recurrent(const NodeProto& node, GraphWriter& out) {
  constexpr int kWeights = 1, kScales = 8;
  if (node.input_size() <= kScales + 2) return false;
  std::vector<std::string> inputs(node.input().begin(), node.input().begin() + kScales);
  std::vector<int> axes;
  for (int i = 0; i < 2; ++i) {
    const TensorProto* weight = out.tensor(node.input(kWeights + i));
    const auto scales = static_cast<std::int64_t>(out.floats(node.input(kScales + 2 * i)).size());
    if (weight == nullptr || weight->dims_size() != 3) return false;
    const bool per_direction = scales == 1 || scales == weight->dims(0);
    if (!per_direction && (weight->dims(0) != 1 || scales != weight->dims(2))) return false;
    axes.push_back(per_direction ? 0 : 2);
  }
  for (int i = 0; i < 2; ++i) {
    const std::string& integers = node.input(kWeights + i);
    const std::string floats =
        out.dequantized(integers, node.input(kScales + 2 * i), input_name(node, kScales + 2 * i + 1),
                        axes[static_cast<std::size_t>(i)]);
    inputs[static_cast<std::size_t>(kWeights + i)] = out.fresh(floats + "_transposed");
    set_ints(out.add("Transpose", {floats}, inputs[static_cast<std::size_t>(kWeights + i)]), "perm", {0, 2, 1});
  }
  NodeProto& lstm = out.add("LSTM", inputs, node.output(0));
  copy_attributes(node, lstm);
  for (int i = 1; i < node.output_size(); ++i) lstm.add_output(node.output(i));
  out.replaced(node);
  return true;
}

/// MatMulNBits(a, b, scales, zero points, order, bias), where b has a row of `K` integers of `bits` bits for each of
/// the `N` outputs, and a scale for `block_size` of them.
bool IntegerProducts::packed_product(const NodeProto& node, GraphWriter& out) {
  const std::int64_t inputs = int_attribute(node, "K", 0), rows = int_attribute(node, "N", 0);
  const std::int64_t block = int_attribute(node, "block_size", 0), bits = int_attribute(node, "bits", 4);
  if (node.input_size() < 3 || (bits != 2 && bits != 4 && bits != 8) || block <= 0 || inputs <= 0 ||
      inputs % block != 0)
    return false;
  const std::string zeros_name = input_name(node, 3), order = input_name(node, 4);
  const TensorProto* packed = out.tensor(node.input(1));
  const TensorProto* scales = out.tensor(node.input(2));
  const TensorProto* packed_zeros = zeros_name.empty() ? nullptr : out.tensor(zeros_name);
  if (packed == nullptr || scales == nullptr || (packed_zeros == nullptr) != zeros_name.empty() || !order.empty() ||
      packed->data_type() != TensorProto::UINT8 ||
      byte_count(*packed, out) * 8 != static_cast<std::size_t>(rows * inputs * bits))
    return false;
  const std::int64_t blocks = inputs / block;
  const auto zeros = zero_points(packed_zeros, static_cast<int>(bits), rows, blocks, out);
  if (!zeros) return false;
  const int type = bits == 2 ? TensorProto::UINT2 : bits == 4 ? TensorProto::UINT4 : TensorProto::UINT8;
  const std::string& stem = node.input(1);
  const std::string floats =
      out.dequantized(out.constant(stem + "_integers", reshaped(*packed, type, {rows, inputs}, out)),
                      out.constant(stem + "_scales", reshaped(*scales, scales->data_type(), {rows, blocks}, out)),
                      out.constant(stem + "_zero_points", *zeros), 1);
  set_int(out.last(), "block_size", block);
  const std::string weight = out.fresh(stem + "_transposed");
  set_ints(out.add("Transpose", {floats}, weight), "perm", {1, 0});
  write_product(node, node.input(0), weight, input_name(node, 5), out);
  return true;
}

}  // namespace mpq::graph
