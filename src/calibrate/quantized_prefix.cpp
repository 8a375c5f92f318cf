#include "calibrate/quantized_prefix.h"

#include "graph/run_index.h"
#include "quantize/grid.h"

namespace mpq::calibrate {

QuantizedPrefix::QuantizedPrefix(const graph::RunForm& form)
    : form_(form), store_(std::make_shared<graph::TensorStore>(*form.store)) {
  form_.store = store_;
}

void QuantizedPrefix::set(const std::string& name, const std::vector<float>& numbers) {
  const int number = form_.index->find(name);
  if (number < 0 || form_.index->value(number).initializer < 0) return;
  onnx::TensorProto& tensor = *form_.model.mutable_graph()->mutable_initializer(form_.index->value(number).initializer);
  std::string raw;
  const auto append = [&raw](const auto& value) { raw.append(reinterpret_cast<const char*>(&value), sizeof value); };
  if (tensor.data_type() == onnx::TensorProto::FLOAT) {
    for (const float value : numbers) append(value);
  } else if (tensor.data_type() == onnx::TensorProto::FLOAT16) {
    for (const float value : numbers) append(quant::to_half(value));
  } else {
    return;
  }
  changed_ = true;
  if (raw.size() < graph::kStoreThresholdBytes) {
    graph::clear_data(tensor);
    tensor.clear_external_data();
    tensor.clear_data_location();
    tensor.set_raw_data(std::move(raw));
    return;
  }
  const auto owner = std::make_shared<const std::string>(std::move(raw));
  graph::clear_data(tensor);
  graph::point_to_store(tensor, store_->add(std::as_bytes(std::span(*owner)), owner), owner->size());
}

}  // namespace mpq::calibrate
