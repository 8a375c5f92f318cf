#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <onnx/defs/parser.h>

#include "graph/adjoint/adjoint.h"
#include "graph/adjoint/facts.h"
#include "graph/cut.h"
#include "graph/model_impl.h"
#include "graph/run_index.h"
#include "runtime/session.h"
#include "support/random.h"

// Gradients from the reverse-mode graph against central differences of the forward graph, both run by ONNX Runtime.

namespace mpq::graph::adjoint::testing {

inline void add_floats(onnx::ModelProto& model, const std::string& name, const Shape& dims,
                       const std::vector<float>& values) {
  onnx::TensorProto& tensor = *model.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const auto dim : dims) tensor.add_dims(dim);
  tensor.set_raw_data(std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)));
}

inline std::vector<float> gaussians(std::uint64_t key, std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  fill_gaussian(Philox(key), values);
  return values;
}

inline Tensor tensor_of(const Shape& shape, const std::vector<float>& values) {
  Tensor tensor(DType::kFloat32, shape);
  std::copy(values.begin(), values.end(), tensor.as_mutable<float>().begin());
  return tensor;
}

inline onnx::ModelProto parsed(const std::string& graph) {
  onnx::ModelProto model;
  const auto status = onnx::OnnxParser::Parse(model, (R"(<ir_version: 8, opset_import: ["" : 19]> )" + graph).c_str());
  EXPECT_TRUE(status.IsOK()) << status.ErrorMessage() << "\n" << graph;
  sort_nodes(*model.mutable_graph());
  return model;
}

inline const TensorStore& no_store() {
  static const TensorStore store;
  return store;
}

/// Facts of every value of the main graph on one sample.
inline FactsMap facts_of(const onnx::ModelProto& model, const Feed& feed) {
  FactsMap facts;
  add_initializer_facts(model, no_store(), facts);
  for (const auto& [name, tensor] : feed) facts[name] = observed(tensor, false);
  RunForm form;
  form.model = model;
  form.index = std::make_shared<RunIndex>(model);
  std::vector<std::string> names;
  for (const auto& value : form.index->values) {
    if (value.producer >= 0) names.push_back(value.name);
  }
  const runtime::Session session(with_outputs(form, names), no_store());
  const std::vector<Tensor> values = session.run(feed, names);
  const auto fixed = fixed_values(model);
  for (std::size_t i = 0; i < names.size(); ++i) facts[names[i]] = observed(values[i], fixed.count(names[i]) > 0);
  return facts;
}

/// <probe, output> of the forward graph with the weight w.
inline double loss(onnx::ModelProto model, const std::vector<float>& w, const Feed& feed, const std::string& output,
                   const std::vector<float>& probe, const std::string& weight) {
  for (auto& tensor : *model.mutable_graph()->mutable_initializer()) {
    if (tensor.name() != weight) continue;
    tensor.clear_float_data();
    tensor.set_raw_data(std::string(reinterpret_cast<const char*>(w.data()), w.size() * sizeof(float)));
  }
  const runtime::Session session(model, no_store(), {.optimization_level = 0});
  const Tensor y = session.run(feed, {output})[0];
  double sum = 0;
  for (std::size_t i = 0; i < probe.size(); ++i)
    sum += static_cast<double>(y.as<float>()[i]) * static_cast<double>(probe[i]);
  return sum;
}

inline double dot(const float* a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < b.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

/// Compares dL/dw along random directions, for two probes at once, with central differences.
inline void expect_gradient(const onnx::ModelProto& model, const Shape& w_shape, const std::vector<float>& w,
                            const Feed& feed, double step = 2e-3, double tolerance = 1e-2,
                            const std::string& weight = "w") {
  const std::string output = model.graph().output(0).name();
  const FactsMap facts = facts_of(model, feed);
  const AdjointGraph graph = build(model, facts, {weight}, {{output, Head::Kind::kDirect}}, 2);
  ASSERT_EQ(graph.weights[0].stop, "");
  ASSERT_NE(graph.weights[0].dense, "") << "the weight has no dense adjoint";
  const std::int64_t elements = count_of(facts.at(output).shape);
  const std::vector<float> probes = gaussians(5, 2 * elements);
  Feed with_probes = feed;
  with_probes[graph.probes[0]] = tensor_of(joined({2}, facts.at(output).shape), probes);
  const runtime::Session session(graph.model, no_store());
  const Tensor gradient = session.run(with_probes, {graph.weights[0].dense})[0];
  EXPECT_EQ(gradient.shape(), joined({2}, w_shape));
  for (std::uint64_t trial = 0; trial < 4; ++trial) {
    const std::vector<float> direction = gaussians(100 + trial, count_of(w_shape));
    std::vector<float> forth = w, back = w;
    for (std::size_t i = 0; i < w.size(); ++i) {
      forth[i] += static_cast<float>(step) * direction[i];
      back[i] -= static_cast<float>(step) * direction[i];
    }
    const std::size_t r = trial % 2, each = static_cast<std::size_t>(elements);
    const std::vector<float> probe(probes.begin() + static_cast<std::ptrdiff_t>(r * each),
                                   probes.begin() + static_cast<std::ptrdiff_t>((r + 1) * each));
    const double expected =
        (loss(model, forth, feed, output, probe, weight) - loss(model, back, feed, output, probe, weight)) / (2 * step);
    const float* g = gradient.as<float>().data() + r * w.size();
    double norm = 0;
    for (std::size_t i = 0; i < w.size(); ++i) norm += static_cast<double>(g[i]) * static_cast<double>(g[i]);
    EXPECT_NEAR(dot(g, direction), expected, tolerance * (std::abs(expected) + std::sqrt(norm)) + 1e-4);
  }
}

}  // namespace mpq::graph::adjoint::testing
