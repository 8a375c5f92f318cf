#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "graph/model_impl.h"

namespace mpq::graph {

struct RunIndex;

/// The model as the engine runs it: skeleton form, nodes sorted, Constant nodes of the main graph lifted into
/// initializers, every layer's weight hoisted to the main graph as the initializer `weight_names[layer]`,
/// initializers no longer listed as inputs. Computes what the model computes.
struct RunForm {
  onnx::ModelProto model;
  std::shared_ptr<const TensorStore> store;
  std::vector<std::string> weight_names;  ///< parallel to Model::layers(); "" for layers that cannot be quantized
  std::shared_ptr<const RunIndex> index;  ///< who reads what, for the functions below
};
RunForm run_form(const Model& model);

/// Before: Constant -> w -> Conv, in the main graph.   After: initializer w -> Conv.
/// A Constant that is itself an output of the model stays a node.
void lift_constants(onnx::GraphProto& graph);
/// Below IR 4 every initializer has to be an input as well; from IR 4 on it is a constant when it is none.
inline constexpr std::int64_t kFirstIrWithConstantInitializers = 4;
/// For models whose initializers are constants although they are listed among the inputs.
void drop_inputs_with_initializers(onnx::GraphProto& graph);

/// Everything of the network behind one layer: the nodes that (transitively) read the layer's weight and lead to
/// `targets`.
struct Cut {
  onnx::ModelProto model;             ///< skeleton over RunForm::store; inputs = boundary + weight, outputs = targets
  std::vector<std::string> boundary;  ///< activations to feed, graph inputs included; all other inputs are constants
  std::string weight;                 ///< the input that takes the perturbed weight
  double node_share = 1;              ///< nodes kept / nodes of the whole graph
};

/// The names a cut behind `layer` needs as boundary (so they can be captured first).
std::vector<std::string> boundary_of(const RunForm& form, std::size_t layer, const std::vector<std::string>& targets);

/// Builds the cut. `types` gives dtype and (where fixed over all samples, else empty dims of -1) shape of every
/// boundary value. Targets the weight does not reach are dropped from the outputs.
Cut cut_behind(const RunForm& form, std::size_t layer, const std::vector<std::string>& targets,
               const std::map<std::string, ValueInfo>& types);

/// The same behind a value of the main graph, which becomes an input: what an activation's rounding can reach.
/// `types` must know the value.
std::vector<std::string> boundary_behind(const RunForm& form, const std::string& value,
                                         const std::vector<std::string>& targets);
Cut cut_behind_value(const RunForm& form, const std::string& value, const std::vector<std::string>& targets,
                     const std::map<std::string, ValueInfo>& types);

/// The part of the network that computes `wanted` from values that are there already.
struct Segment {
  onnx::ModelProto model;           ///< skeleton over RunForm::store; inputs = values to feed, outputs = wanted
  std::vector<std::string> inputs;  ///< those of `there` that it needs, and inputs of the network
  std::vector<int> nodes;           ///< that it runs, by number
};
/// `there`: values that are known, with their types.
Segment segment_to(const RunForm& form, const std::vector<std::string>& wanted,
                   const std::map<std::string, ValueInfo>& there);

/// Outputs of the nodes that use the layer's weight directly (through Identity, Cast, Transpose or Reshape of the
/// weight): where "local" damage is measured.
std::vector<std::string> layer_outputs(const RunForm& form, std::size_t layer);

/// The whole run form with `layer`'s weight as an input, for full reruns.
Cut whole_with_weight_input(const RunForm& form, std::size_t layer);

/// The run form with exactly these values as outputs (types left to the runtime's inference).
onnx::ModelProto with_outputs(const RunForm& form, const std::vector<std::string>& values);

}  // namespace mpq::graph
