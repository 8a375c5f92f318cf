#pragma once

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

#include <onnx/defs/parser.h>
#include <onnx/onnx_pb.h>

#include "mpq/model.h"
#include "mpq/samples.h"

#include "support/random.h"

namespace mpq::testing_models {

/// Reproducible weights of about unit scale per output.
inline std::vector<float> gaussians(std::uint64_t key, std::size_t count, float scale) {
  std::vector<float> values(count);
  fill_gaussian(Philox(key), values);
  for (float& value : values) value *= scale;
  return values;
}

inline void add_initializer(onnx::ModelProto& model, const std::string& name, const std::vector<std::int64_t>& dims,
                            const std::vector<float>& values) {
  onnx::TensorProto& tensor = *model.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const auto dim : dims) tensor.add_dims(dim);
  for (const float value : values) tensor.add_float_data(value);
}

/// Parses ONNX text, adds Gaussian weights (name -> dims) and loads the model from a file that is removed again.
struct WeightSpec {
  std::string name;
  std::vector<std::int64_t> dims;
  float scale = 1;
};
inline onnx::ModelProto parse(const std::string& text, const std::vector<WeightSpec>& weights) {
  onnx::ModelProto model;
  const auto status = onnx::OnnxParser::Parse(model, text.c_str());
  if (!status.IsOK()) throw std::runtime_error(status.ErrorMessage());
  std::uint64_t key = 11;
  for (const WeightSpec& weight : weights) {
    std::size_t count = 1;
    for (const auto dim : weight.dims) count *= static_cast<std::size_t>(dim);
    add_initializer(model, weight.name, weight.dims, gaussians(++key, count, weight.scale));
  }
  return model;
}

inline std::filesystem::path temporary(const std::string& name) {
  return std::filesystem::temp_directory_path() / ("mpq_test_" + std::to_string(::getpid()) + "_" + name);
}

inline Model load(const onnx::ModelProto& proto) {
  const auto path = temporary("model.onnx");
  std::ofstream(path, std::ios::binary) << proto.SerializeAsString();
  Model model = Model::load(path.string());
  std::filesystem::remove(path);
  return model;
}

/// x [1,32] -> MatMul w1 [32,24] -> Relu -> MatMul w2 [24,24] -> Add (residual) -> MatMul w3 [24,10] -> y [1,10]
inline onnx::ModelProto residual_mlp() {
  return parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[N,32] x) => (float[N,10] y) {
      h1 = MatMul(x, w1)
      r1 = Relu(h1)
      h2 = MatMul(r1, w2)
      r2 = Relu(h2)
      s = Add(r1, r2)
      y = MatMul(s, w3)
    })",
               {{"w1", {32, 24}, 0.18F}, {"w2", {24, 24}, 0.2F}, {"w3", {24, 10}, 0.2F}});
}

/// y = x W, [1,16] x [16,8]: damage has a closed form.
inline onnx::ModelProto linear() {
  return parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[N,16] x) => (float[N,8] y) { y = MatMul(x, w) })",
               {{"w", {16, 8}, 1.0F}});
}

inline Samples gaussian_samples(const std::string& input, std::vector<std::int64_t> shape, std::size_t count,
                                std::uint64_t key = 77) {
  std::vector<Feed> feeds;
  for (std::size_t i = 0; i < count; ++i) {
    Tensor tensor(DType::kFloat32, shape);
    fill_gaussian(Philox(key, i), tensor.as_mutable<float>());
    feeds.push_back({{input, tensor}});
  }
  DataFacts facts;
  facts.source = "test";
  facts.sha256 = "data" + std::to_string(key);
  facts.samples = static_cast<std::int64_t>(count);
  return Samples(std::move(feeds), facts);
}

}  // namespace mpq::testing_models
