#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <onnx/checker.h>
#include <onnx/defs/parser.h>
#include <onnx/shape_inference/implementation.h>

#include "graph/layers.h"
#include "graph/model_impl.h"

// Small models written in ONNX's text form. Float tensors are written with "= {0}" (or "{0}" in a Constant) and filled
// here with distinct numbers, so that large weights stay one word in the test.

namespace mpq::graph::testing {

inline void fill(onnx::TensorProto& tensor) {
  if (tensor.data_type() != onnx::TensorProto::FLOAT || tensor.float_data_size() != 1) return;
  std::int64_t count = 1;
  for (const auto extent : tensor.dims()) count *= extent;
  tensor.clear_float_data();
  for (std::int64_t i = 0; i < count; ++i) tensor.add_float_data(static_cast<float>((i * 37 + 11) % 101 - 50) / 64.0F);
}

inline void fill(onnx::GraphProto& graph) {
  for (auto& tensor : *graph.mutable_initializer()) fill(tensor);
  for (auto& node : *graph.mutable_node()) {
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.has_t()) fill(*attribute.mutable_t());
      if (attribute.has_g()) fill(*attribute.mutable_g());
    }
  }
}

inline onnx::ModelProto parse_proto(const std::string& text) {
  onnx::ModelProto proto;
  onnx::OnnxParser parser(text.c_str());
  const auto status = parser.Parse(proto);
  EXPECT_TRUE(status.IsOK()) << status.ErrorMessage() << "\n" << text;
  fill(*proto.mutable_graph());
  return proto;
}

/// `body` is a graph in text form; the header is opset 17, IR 8.
inline onnx::ModelProto parse_graph(const std::string& body, int ir_version = 8) {
  return parse_proto("<ir_version: " + std::to_string(ir_version) +
                     R"(, opset_import: ["" : 17, "com.microsoft" : 1, "local" : 1]> )" + body);
}

/// A model of `proto` with its layers found, without the checks of Model::load.
inline Model model_of(const onnx::ModelProto& proto) {
  auto impl = std::make_shared<Model::Impl>();
  impl->proto = proto;
  impl->store = std::make_shared<TensorStore>();
  find_layers(*impl);
  return Model(impl);
}

inline Model model_of(const std::string& body) { return model_of(parse_graph(body)); }

inline std::vector<Layer> layers_of(const std::string& body) { return model_of(body).impl().layers; }

/// The ONNX checker's and shape inference's word on a model.
inline void expect_valid(const onnx::ModelProto& proto) {
  onnx::ModelProto copy = proto;
  EXPECT_NO_THROW(onnx::checker::check_model(copy)) << copy.ShortDebugString().substr(0, 3000);
  EXPECT_NO_THROW(onnx::shape_inference::InferShapes(copy, onnx::OpSchemaRegistry::Instance(),
                                                     onnx::ShapeInferenceOptions(true, 1, true)))
      << copy.ShortDebugString().substr(0, 3000);
}

/// A chain of three products; around the last two a skip connection, so that two values are alive between r and s.
inline constexpr const char* kResidual = R"(
    g (float[2,16] x) => (float[2,16] y, float[2,16] early)
    <float[16,16] a = {0}, float[16,16] b = {0}, float[16,16] c = {0}> {
      p = MatMul(x, a)
      early = Relu(p)
      q = MatMul(early, b)
      r = Relu(q)
      s = MatMul(r, c)
      y = Add(s, early)
    })";

}  // namespace mpq::graph::testing
