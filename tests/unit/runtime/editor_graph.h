#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <onnxruntime_cxx_api.h>

#include "mpq/tensor.h"

#include "runtime/environment.h"

namespace mpq::runtime {

/// A graph built in memory by ONNX Runtime's Model Editor, over weights that stay ours: the alternative to feeding the
/// changed weight as an input. Optimizers that copy weights into layouts of their own (prepacking, NCHWc) have to be
/// off for a change of the bytes to be seen, for the whole graph.
class EditorGraph {
 public:
  void input(const std::string& name, const std::vector<std::int64_t>& shape) { inputs_.push_back(info(name, shape)); }
  void output(const std::string& name, const std::vector<std::int64_t>& shape) {
    outputs_.push_back(info(name, shape));
  }

  /// The bytes must outlive the session and are read by every run. At least 128 of them, else the editor copies.
  void weight(const std::string& name, Tensor& floats) {
    Ort::Value value = Ort::Value::CreateTensor<float>(our_memory(), floats.as_mutable<float>().data(),
                                                       static_cast<std::size_t>(floats.size()), floats.shape().data(),
                                                       floats.shape().size());
    graph_.AddInitializer(name, value, true);
  }

  void node(const std::string& op, const std::string& name, const std::vector<std::string>& inputs,
            const std::string& output, std::vector<Ort::OpAttr> attributes = {}) {
    Ort::Node node(op, "", name, inputs, {output}, attributes);
    graph_.AddNode(node);
  }

  static Ort::OpAttr ints(const char* name, const std::vector<std::int64_t>& values) {
    return {name, values.data(), static_cast<int>(values.size()), ORT_OP_ATTR_INTS};
  }

  /// Spends the graph. `weights_seen` switches off what would hide a change of the weights' bytes.
  Ort::Session session(bool weights_seen) {
    graph_.SetInputs(inputs_);
    graph_.SetOutputs(outputs_);
    Ort::Model model(std::vector<Ort::Model::DomainOpsetPair>{{"", 17}});
    model.AddGraph(graph_);
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(1);
    options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
    options.AddConfigEntry("session.use_env_allocators", "1");
    options.DisableMemPattern();
    if (weights_seen) {
      options.AddConfigEntry("session.disable_prepacking", "1");
      options.AddConfigEntry("optimization.disable_specified_optimizers", "NchwcTransformer");
    }
    return {environment(), model, options};
  }

 private:
  static Ort::ValueInfo info(const std::string& name, const std::vector<std::int64_t>& shape) {
    const Ort::TensorTypeAndShapeInfo tensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, shape);
    const Ort::TypeInfo type = Ort::TypeInfo::CreateTensorInfo(tensor.GetConst());
    return Ort::ValueInfo(name, type.GetConst());
  }

  Ort::Graph graph_;
  std::vector<Ort::ValueInfo> inputs_, outputs_;
};

}  // namespace mpq::runtime
