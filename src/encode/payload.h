#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "encode/storage_form.h"
#include "quantize/grid.h"

namespace mpq::encode {

/// An initializer before its numbers are known: everything its size in the file depends on.
struct TensorPlan {
  std::string name;
  onnx::TensorProto::DataType type = onnx::TensorProto::UINT8;
  std::vector<std::int64_t> dims;
  std::int64_t bytes = 0;
};

TensorPlan packed_plan(const Layer& layer, const StorageForm& form, const std::string& name);
/// With widths of rows: the numbers of one width, and which width each row has.
TensorPlan packed_plan(const Layer& layer, const StorageForm& form, const StorageForm::RowClass& alike,
                       const std::string& name);
TensorPlan rows_plan(const StorageForm& form, const std::string& name);
TensorPlan scales_plan(const Layer& layer, const StorageForm& form, const std::string& name);
TensorPlan entries_plan(const StorageForm& form, const std::string& name);
TensorPlan half_plan(const Layer& layer, const std::string& name);

using Bytes = std::vector<std::byte>;

/// The numbers themselves, as many bytes as planned.
Bytes packed_bytes(const Layer& layer, const quant::QuantizedTensor& tensor, const StorageForm& form);
Bytes packed_bytes(const quant::QuantizedTensor& tensor, const StorageForm::RowClass& alike);
Bytes rows_bytes(const quant::QuantizedTensor& tensor, const StorageForm& form);
Bytes scale_bytes(const quant::QuantizedTensor& tensor, const StorageForm& form);
Bytes entries_bytes(const quant::QuantizedTensor& tensor);
/// Where sorted entry 4 upper + 2 p + q of a trellis stands in the file: [q, 1, upper, p].
inline std::size_t entry_place(std::size_t entry, std::size_t entries) {
  return (entry % 2 * (entries / 4) + entry / 4) * 2 + entry / 2 % 2;
}
Bytes half_bytes(const std::vector<float>& weight);
Bytes integer_bytes(const std::vector<std::int32_t>& integers);

}  // namespace mpq::encode
