#include "encode/payload.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "encode/planes.h"
#include "quantize/entry_table.h"
#include "quantize/packing.h"
#include "quantize/rows.h"
#include "quantize/trellis.h"

namespace mpq::encode {

namespace {

static_assert(std::endian::native == std::endian::little, "ONNX stores numbers little-endian; so does this code.");

template <typename T>
Bytes as_bytes(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// [rows, columns] -> [columns, rows].
template <typename T>
std::vector<T> transpose(const std::vector<T>& values, std::int64_t rows) {
  const auto height = static_cast<std::size_t>(rows);
  const std::size_t width = values.size() / height;
  std::vector<T> result(values.size());
  for (std::size_t i = 0; i < height; ++i) {
    for (std::size_t j = 0; j < width; ++j) result[j * height + i] = values[i * width + j];
  }
  return result;
}

/// Two signed numbers a byte, the first in the low half (ONNX's INT4).
Bytes nibbles(const std::vector<std::int8_t>& values) {
  Bytes bytes((values.size() + 1) / 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto nibble = static_cast<std::byte>(values[i] & 0xf);
    bytes[i / 2] |= i % 2 == 0 ? nibble : nibble << 4;
  }
  return bytes;
}

std::int64_t product(const std::vector<std::int64_t>& extents) {
  std::int64_t result = 1;
  for (const std::int64_t extent : extents) result *= extent;
  return result;
}

quant::ScaleLayout layout_of(const Layer& layer, const StorageForm& form) {
  return quant::scale_layout(layer, {form.bits, "grid", form.block});
}

}  // namespace

TensorPlan packed_plan(const Layer& layer, const StorageForm& form, const std::string& name) {
  TensorPlan plan{name, onnx::TensorProto::UINT8, {}, 0};
  if (form.store == StorageForm::Store::kPlanes) {
    plan.bytes = quant::packed_bytes(layer.parameters, form.bits);
    plan.dims = {plan.bytes};
    return plan;
  }
  const bool folded_blocks = form.scales_broadcast() && form.block > 0;
  plan.dims = folded_blocks ? layout_of(layer, form).view_shape : layer.shape;
  if (form.transposed) std::swap(plan.dims[0], plan.dims[1]);
  const bool nibbles = form.store == StorageForm::Store::kInt4;
  plan.type = nibbles ? onnx::TensorProto::INT4 : onnx::TensorProto::INT8;
  plan.bytes = nibbles ? (layer.parameters + 1) / 2 : layer.parameters;
  return plan;
}

TensorPlan packed_plan(const Layer& layer, const StorageForm& form, const StorageForm::RowClass& alike,
                       const std::string& name) {
  const std::int64_t length = row_length(layer, form);
  TensorPlan plan{name, onnx::TensorProto::UINT8, {}, quant::packed_bytes(alike.rows * length, alike.bits)};
  plan.dims = {plan.bytes};
  return plan;
}

TensorPlan rows_plan(const StorageForm& form, const std::string& name) {
  TensorPlan plan{name, onnx::TensorProto::UINT8, {}, quant::packed_bytes(row_count(form), kRowClassBits)};
  plan.dims = {plan.bytes};
  return plan;
}

TensorPlan scales_plan(const Layer& layer, const StorageForm& form, const std::string& name) {
  const std::vector<std::int64_t> broadcast = layout_of(layer, form).scale_shape;
  TensorPlan plan{name, onnx::TensorProto::FLOAT16, {}, 2 * product(broadcast)};
  if (form.scales_broadcast()) {
    std::size_t first = 0;  // leading axes of 1 broadcast by themselves
    while (first < broadcast.size() && broadcast[first] == 1) ++first;
    plan.dims.assign(broadcast.begin() + static_cast<std::ptrdiff_t>(first), broadcast.end());
    return plan;
  }
  const std::int64_t columns = layer.shape[form.transposed ? 0 : static_cast<std::size_t>(form.axis)];
  if (form.block > 0) plan.dims.push_back(product(broadcast) / columns);
  plan.dims.push_back(columns);
  return plan;
}

TensorPlan entries_plan(const StorageForm& form, const std::string& name) {
  const std::int64_t entries = std::int64_t{2} << form.bits;
  return {name, onnx::TensorProto::INT8, {2, 1, entries / 4, 2}, entries};
}

TensorPlan half_plan(const Layer& layer, const std::string& name) {
  return {name, onnx::TensorProto::FLOAT16, layer.shape, 2 * layer.parameters};
}

namespace {

/// The codes of a trellis along its stream.
Bytes trellis_bytes(const Layer& layer, const quant::QuantizedTensor& tensor, int bits) {
  std::vector<std::uint8_t> entries;
  entries.reserve(tensor.values.size());
  for (const std::uint32_t offset : quant::trellis_order(layer)) {
    entries.push_back(static_cast<std::uint8_t>(quant::entry_index(tensor.entries, tensor.values[offset])));
  }
  std::vector<std::int8_t> codes;
  codes.reserve(entries.size());
  const int middle = 1 << (bits - 1);
  for (const std::uint8_t code : quant::trellis_codes(entries))
    codes.push_back(static_cast<std::int8_t>(code - middle));
  return as_bytes(quant::pack(codes, bits));
}

}  // namespace

Bytes packed_bytes(const Layer& layer, const quant::QuantizedTensor& tensor, const StorageForm& form) {
  if (form.trellis) return trellis_bytes(layer, tensor, form.bits);
  const std::vector<std::int8_t>& values = form.transposed ? transpose(tensor.values, tensor.shape[0]) : tensor.values;
  switch (form.store) {
    case StorageForm::Store::kInt8:
      return as_bytes(values);
    case StorageForm::Store::kInt4:
      return nibbles(values);
    case StorageForm::Store::kPlanes:
      break;
  }
  return as_bytes(quant::pack(values, form.bits));
}

Bytes packed_bytes(const quant::QuantizedTensor& tensor, const StorageForm::RowClass& alike) {
  const quant::Rows rows(tensor.layout);
  std::vector<std::int8_t> values(static_cast<std::size_t>(alike.rows) * rows.length());
  std::size_t place = 0;
  for (std::size_t r = 0; r < rows.count(); ++r) {
    if (tensor.candidate.row_bits[r] != alike.bits) continue;
    rows.gather<std::int8_t>(tensor.values, r, 1, values.data() + place);
    place += rows.length();
  }
  return as_bytes(quant::pack(values, alike.bits));
}

Bytes rows_bytes(const quant::QuantizedTensor& tensor, const StorageForm& form) {
  constexpr std::size_t kGroup = 8;
  constexpr std::int8_t kMiddle = 1 << (kRowClassBits - 1), kHighest = kMiddle - 1;
  std::vector<std::int8_t> classes;
  for (const std::uint8_t width : tensor.candidate.row_bits) {
    const auto found = std::find_if(form.row_classes.begin(), form.row_classes.end(),
                                    [&](const StorageForm::RowClass& alike) { return alike.bits == width; });
    classes.push_back(static_cast<std::int8_t>(found - form.row_classes.begin() - kMiddle));
  }
  classes.resize((classes.size() + kGroup - 1) / kGroup * kGroup, kHighest);  // stands behind all rows
  return as_bytes(quant::pack(classes, kRowClassBits));
}

Bytes entries_bytes(const quant::QuantizedTensor& tensor) {
  std::vector<std::int8_t> placed(tensor.entries.size());
  for (std::size_t i = 0; i < placed.size(); ++i) placed[entry_place(i, placed.size())] = tensor.entries[i];
  return as_bytes(placed);
}

Bytes scale_bytes(const quant::QuantizedTensor& tensor, const StorageForm& form) {
  // [N, K/block, 1] -> [K/block, N]
  if (form.transposed && form.block > 0) return as_bytes(transpose(tensor.scales, tensor.shape[0]));
  return as_bytes(tensor.scales);
}

Bytes integer_bytes(const std::vector<std::int32_t>& integers) { return as_bytes(integers); }

Bytes half_bytes(const std::vector<float>& weight) {
  std::vector<std::uint16_t> halves;
  halves.reserve(weight.size());
  for (const float w : weight) halves.push_back(quant::to_half(w));
  return as_bytes(halves);
}

}  // namespace mpq::encode
