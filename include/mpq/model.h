#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mpq/layer.h"
#include "mpq/observer.h"
#include "mpq/sensitivity.h"
#include "mpq/tensor.h"

namespace mpq {

/// An input or output of a model. Unknown extents are -1 in `shape`; `symbols` holds their names ("" if nameless).
struct ValueInfo {
  std::string name;
  DType dtype = DType::kFloat32;
  std::vector<std::int64_t> shape;
  std::vector<std::string> symbols;
  bool has_rank = true;
};

/// Something the loader noticed that stock runtimes let pass silently.
struct Finding {
  std::string what;  ///< one sentence
  std::string cure;
};

/// An ONNX model, immutable once loaded. Cheap to copy (shares its contents).
class Model {
 public:
  /// Reads a model file, opset 7 to 26, with inline or external data (memory-mapped). Validates the graph.
  /// Throws Error{kInvalidInput} for what is unreadable, truncated or inconsistent and Error{kUnsupported}
  /// for opsets or IR versions outside the range; the message names the file and the part.
  static Model load(const std::string& path);

  const ModelFacts& facts() const;
  std::int64_t opset() const;  ///< of the default domain
  std::int64_t ir_version() const;
  const std::string& producer() const;
  const std::vector<ValueInfo>& inputs() const;  ///< without initializers
  const std::vector<ValueInfo>& outputs() const;
  /// Every weight found, quantizable or not, in graph order.
  const std::vector<Layer>& layers() const;
  const std::vector<Finding>& findings() const;
  /// Operators that make the model an already quantized one ("QLinearConv x12", ...); empty for a float model.
  const std::vector<std::string>& quantized_parts() const;

  /// The weight of `layers()[index]` as float32 in C order.
  std::vector<float> weight(std::size_t index) const;

  struct Impl;
  const Impl& impl() const { return *impl_; }
  explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const Impl> impl_;
};

/// A model whose quantization was taken out, and how much of it there was.
struct Dequantized {
  Model model;
  int weights = 0;      ///< tensors that are floats again
  int activations = 0;  ///< that are no longer rounded
};

/// Takes out what a quantizer wrote, so that the model can be analyzed and quantized anew; its facts stay those of the
/// file. Operators on integers (QLinear*, QGemm, MatMulInteger, ConvInteger, DynamicQuantizeMatMul,
/// DynamicQuantizeLSTM, MatMulNBits, lookups in tables of integers) become the float operators they stand for; weights
/// and biases become the floats their integers stand for: nothing of what the first quantization lost comes back, and
/// nothing more is lost. Activations are no longer rounded. Quantizers drop a Relu or Clip before a rounding whose zero
/// point is the lowest integer, so such a rounding behind an operator that can be followed by one becomes Clip(0, the
/// largest value it can hold). Left as they are: other operators on integers (QAttention, ...), 8-bit floats,
/// MatMulNBits whose last block is filled up or whose inputs are reordered, and weights that are unpacked by other
/// operators first.
Dequantized dequantize(const Model& model);

}  // namespace mpq
