#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <onnx/onnx_pb.h>

#include "mpq/model.h"

#include "encode/payload.h"
#include "encode/static_form.h"
#include "encode/storage_form.h"
#include "graph/model_impl.h"
#include "graph/scopes.h"
#include "support/spill_file.h"

namespace mpq::encode {

/// Replaces weights of a model by what they are stored as, one layer at a time. Without numbers (null pointers) it
/// writes zeros of the right sizes: the model then weighs what the real one will, to the byte.
class ModelWriter {
 public:
  /// `to_disk`: tensors are put aside on disk as they come (SpillFile).
  explicit ModelWriter(const Model& model, bool to_disk = false);

  /// Before: initializer or Constant `weight`          After: w<i>.q, w<i>.s (, w<i>.c) -> Unpack<b>bit -> `weight`
  ///                              with widths of rows: w<i>.q2, w<i>.q4, ..., w<i>.s, w<i>.r
  void write_grid(std::size_t layer, const StorageForm& form, const quant::QuantizedTensor* numbers);
  /// Before: initializer or Constant `weight`          After: w<i>.h (float16) -> Cast -> `weight`
  void write_half(std::size_t layer, const std::vector<float>* weight);

  /// Gives a constant of the main graph other numbers, which take no more bytes.
  void replace_constant(const std::string& name, const std::vector<float>& numbers);

  /// The float bias of a unit's operator; empty where it has none.
  std::vector<float> bias_of(const graph::IntegerUnit& unit) const;
  /// Before: conv reads its float bias                 After: w<i>.b (int32), w<i>.s -> Bias32bit -> conv
  /// For a layer written by write_grid; `numbers` null: of the right size only.
  void write_bias(std::size_t layer, const StaticForm& form, const quant::QuantizedTensor* numbers);
  /// Rounds the activations of integer units, whose layers and biases are written.
  void write_activations(const StaticForm& form);
  /// Before: a -> MatMul                               After: a -> Round8bitDynamic -> MatMul
  /// For a layer written by write_grid.
  void write_dynamic_activations(std::size_t layer);

  /// Before: weight -> Gather(i)                       After: weight (int8) -> Gather(i) -> ScaleRows(w<i>.s, i)
  /// For a layer written by write_grid; `numbers` null: of the right size only.
  void write_lookup(std::size_t layer, const StorageForm& form, const quant::QuantizedTensor* numbers);

  /// Bytes the model file would have now, without the nodes and functions of the weights written so far.
  std::int64_t skeleton_bytes() const;

  struct Parts {
    std::vector<TensorPlan> tensors;
    onnx::NodeProto node;
    std::optional<onnx::NodeProto> behind =
        {};  ///< of rows that are looked up, no smaller than the one that is written
  };
  /// What write_grid and write_half add to the graph for one layer.
  Parts grid_parts(std::size_t layer, const StorageForm& form, float unit);
  Parts half_parts(std::size_t layer);
  /// Removes the weight, so that `skeleton_bytes` tells what it weighed.
  void remove_weight(std::size_t layer);

  struct Result {
    onnx::ModelProto proto;
    std::shared_ptr<const graph::TensorStore> store;
  };
  /// Adds the nodes, functions, imports and the metadata entry. The writer is spent afterwards.
  Result finish(const std::string& plan_text);

 private:
  struct Names {
    std::string weight, packed, scales, entries, half, bias, rows;
    std::map<int, std::string> packed_rows;  ///< by width
  };
  const Names& names(std::size_t layer);
  std::string weight_name(std::size_t layer);
  void add_tensor(const TensorPlan& plan, const Bytes* bytes);
  std::string add_function(onnx::FunctionProto function);
  void raise_ir();
  void prepend_nodes();

  const Model::Impl& impl_;
  onnx::ModelProto proto_;
  std::shared_ptr<graph::TensorStore> store_;
  graph::NamePool pool_;
  std::unordered_map<std::string, int> definitions_;  // graphs that define a value of this name
  std::unordered_set<std::string> body_outputs_;      // outputs of subgraphs
  std::unordered_map<std::size_t, Names> names_;      // per layer
  std::map<std::string, onnx::FunctionProto> functions_;
  StaticWriter static_writer_;
  std::vector<onnx::NodeProto> nodes_;
  bool uses_int4_ = false;
  std::unique_ptr<SpillFile> disk_;
};

}  // namespace mpq::encode
