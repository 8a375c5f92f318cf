#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "mpq/model.h"

#include "encode/function_body.h"
#include "graph/integer_region.h"
#include "graph/integer_units.h"
#include "graph/scopes.h"
#include "quantize/activation_range.h"
#include "quantize/grid.h"

namespace mpq::encode {

/// Layers whose activations are integers too, on grids fixed beforehand ("static" quantization).
struct StaticForm {
  graph::IntegerUnits units;
  graph::IntegerRegion region;
  std::map<std::string, quant::ActivationGrid> grids;  ///< of every activation in region.values

  /// Units that are layers on integer kernels.
  bool runs(std::size_t layer) const;
  /// The unit of such a layer.
  const graph::IntegerUnit& unit_of(std::size_t layer) const;
};

/// The bias on the grid of the products, where integer kernels add it: round(bias / (input scale * weight scale)), with
/// the scales as a runtime reads them. Throws Error{kInternal} where a number leaves half of int32's range.
std::vector<std::int32_t> bias_integers(const std::vector<float>& bias, const quant::QuantizedTensor& weight,
                                        float input_scale);

/// Gives channels whose weights are so small that their bias would leave half of int32's range a larger scale; true
/// where there are any.
bool raise_scales_for_bias(const std::vector<float>& bias, float input_scale, const std::vector<int>& channel_axes,
                           quant::QuantizedTensor& weight);

/// Whether a node is what StaticWriter rounds activations with: x -> QuantizeLinear -> DequantizeLinear -> y. Rounding
/// y once more gives y again.
bool rounds_activation(const onnx::NodeProto& node);

/// The nodes and functions of the static form, in the graph of a model whose weights are written.
class StaticWriter {
 public:
  StaticWriter(onnx::ModelProto& model, graph::NamePool& names, std::int64_t opset)
      : model_(model), names_(names), opset_(opset) {}

  /// Before: conv(bias) -> ...    After: b (int32), weight scales -> Bias -> conv
  /// Returns the node to put before all others.
  onnx::NodeProto replace_bias(const graph::IntegerUnit& unit, const std::string& packed, const std::string& scales,
                               float unit_scale, float input_scale);

  /// Before: a -> conv1 -> b -> conv2 -> c (read by floats)
  /// After:  a -> Round8bit -> conv1 -> Round8bit -> conv2 -> Round8bit -> c
  void round_activations(const StaticForm& form);

  /// Before: a -> MatMul(weight)     After: a -> Round8bitDynamic -> MatMul(weight); one for all that read a
  void round_as_it_comes(const std::string& weight);

  /// Before: weight -> Gather(indices)     After: weight (int8) -> Gather(indices) -> ScaleRows(scales, indices)
  /// `blocks`: how many scales a row has; 0 for one.
  void scale_rows(const std::string& weight, const std::string& scales, float unit_scale, std::int64_t blocks);

  /// Puts the new nodes in order and returns the functions they call.
  std::vector<onnx::FunctionProto> finish();

 private:
  onnx::NodeProto* find_node(const std::string& output);
  onnx::NodeProto* node_of(const std::string& output);
  std::string add_guard(const std::string& value);
  void guard_product_before(const std::string& value);
  void keep_float_weights(const StaticForm& form, const std::string& value, std::string& source);
  void round_for_readers(const StaticForm& form, const std::string& value);
  void add_round(const std::string& source, const std::string& result, const quant::ActivationGrid& grid);
  void remove_unread(const std::set<std::string>& constants);

  onnx::ModelProto& model_;
  graph::NamePool& names_;
  std::int64_t opset_;
  bool rounds_ = false, has_bias_ = false;
  std::set<bool> scaled_rows_;                  // with blocks or without
  std::map<std::string, std::string> dynamic_;  // what products read -> rounded
  std::set<std::string> replaced_;              // float biases
};

}  // namespace mpq::encode
