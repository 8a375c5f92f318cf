#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/model.h"
#include "mpq/plan.h"

#include "../graph/model_files.h"
#include "../graph/parsed_model.h"
#include "encode/encode.h"
#include "encode/plan_check.h"
#include "quantize/grid.h"

// Small models in ONNX text form, and plans for them.

namespace mpq::encode::testing {

struct SmallModel {
  std::string name;
  onnx::ModelProto proto;
};

/// `body` under a header of this opset and IR version, "= {0}" initializers filled.
inline onnx::ModelProto model_proto(const std::string& body, int opset = 17, int ir = 8) {
  return graph::testing::parse_proto("<ir_version: " + std::to_string(ir) + ", opset_import: [\"\" : " +
                                     std::to_string(opset) + "], producer_name: \"test\"> " + body);
}

inline const char* const kProducts = R"(g (float[n,32] x) => (float[n,16] y)
    <float[32,64] w1 = {0}, float[64,32] w2 = {0}, float[16,32] w3 = {0}, float[16] b = {0}> {
  h = MatMul(x, w1)
  r = Relu(h)
  [second] s = MatMul(r, w2)
  [third] y = Gemm<transB = 1>(s, w3, b)
})";

inline const char* const kConvolutions = R"(g (float[n,3,9,9] x) => (float[n,5,5,5] y)
    <float[8,3,3,3] w1 = {0}, float[5,8,3,3] w2 = {0}> {
  h = Conv(x, w1)
  y = Conv(h, w2)
})";

inline const char* const kBranches = R"(g (bool c, float[2,16] x) => (float[m,k] y) <float[16,16] outer = {0}> {
  [pick] y = If (c) <
    then_branch = t () => (float[m,k] ty) <float[16,16] w = {0}> { a = MatMul(x, w)  ty = MatMul(a, outer) },
    else_branch = e () => (float[m,k] ey) {
      v = Constant<value = float[16,16] {0}>()
      ey = MatMul(x, v)
    }
  >
})";

inline const char* const kShared = R"(g (float[2,16] x, int64[3] ids) => (float[2,16] y, float[3,16] z)
    <float[16,16] w = {0}> {
  h = MatMul(x, w)
  y = MatMul(h, w)
  z = Gather(w, ids)
})";

/// The weights as halves of 1, 2, ... sixteenths.
inline onnx::ModelProto half_model() {
  onnx::ModelProto proto = model_proto("g (float16[n,32] x) => (float16[n,24] y) { [only] y = MatMul(x, w) }");
  onnx::TensorProto& weight = *proto.mutable_graph()->add_initializer();
  weight.set_name("w");
  weight.set_data_type(onnx::TensorProto::FLOAT16);
  weight.add_dims(32);
  weight.add_dims(24);
  std::vector<std::uint16_t> halves;
  for (int i = 0; i < 32 * 24; ++i) halves.push_back(quant::to_half(static_cast<float>(i * 37 % 101 - 50) / 16));
  weight.set_raw_data(halves.data(), halves.size() * sizeof(std::uint16_t));
  return proto;
}

inline std::vector<SmallModel> small_models() {
  return {{"products", model_proto(kProducts)},
          {"products21", model_proto(kProducts, 21, 10)},
          {"products11", model_proto(kProducts, 11, 6)},
          {"convolutions", model_proto(kConvolutions)},
          {"branches", model_proto(kBranches)},
          {"shared", model_proto(kShared)},
          {"half", half_model()}};
}

/// Entries for every quantizable layer, in order; a candidate's block is dropped where it does not fit.
inline Plan plan_for(const Model& model, const std::vector<Candidate>& candidates) {
  Plan plan;
  plan.budget = "test";
  std::size_t next = 0;
  for (const std::size_t index : quantizable_layers(model)) {
    const Layer& layer = model.layers()[index];
    PlanEntry entry;
    entry.layer = layer.name;
    entry.candidate = candidates[next++ % candidates.size()];
    const bool fits = layer.block_axis >= 0 && entry.candidate.block > 0 &&
                      layer.shape[static_cast<std::size_t>(layer.block_axis)] % entry.candidate.block == 0;
    if (!fits) entry.candidate.block = 0;
    entry.parameters = layer.parameters;
    plan.entries.push_back(entry);
  }
  return plan;
}

/// The plan written into the model, weights rounded to nearest.
inline QuantizedModel encoded(const Model& model, const Plan& plan, RunForm run_form = RunForm::kFloat) {
  const std::vector<std::size_t> layers = quantizable_layers(model);
  return encode(model, plan, Forms{run_form, nullptr, {}}, [&](std::size_t index) {
    const std::size_t entry = static_cast<std::size_t>(std::find(layers.begin(), layers.end(), index) - layers.begin());
    return quant::quantize_grid(model.weight(index), model.layers()[index], plan.entries[entry].candidate);
  });
}

using graph::testing::ModelFiles;

}  // namespace mpq::encode::testing
