#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <onnx/onnx_pb.h>

#include "graph/axis_map.h"

namespace mpq::graph {

/// Weights that enter an operator through a call of a model-local function: exporters may write every module of a
/// network as a function that takes its weights as arguments. Refers to the model, which must outlive it.
class FunctionWeights {
 public:
  explicit FunctionWeights(const onnx::ModelProto& model);

  /// The role of the stored tensor behind input `input` of `call`, seen through `map`, where the function passes that
  /// input to an operator as its weight; empty where it does not, or where `call` is no call or one of mpq's own.
  std::optional<WeightRole> role(const onnx::NodeProto& call, int input, const AxisMap& map,
                                 const std::vector<std::int64_t>& stored_shape) const;

 private:
  using Id = std::tuple<std::string, std::string, std::string>;  // domain, name, overload
  using Visited = std::set<std::pair<const onnx::FunctionProto*, int>>;
  struct Query;
  std::optional<WeightRole> search(const onnx::NodeProto& call, int input, const AxisMap& map, Query& query) const;

  std::map<Id, const onnx::FunctionProto*> functions_;
};

}  // namespace mpq::graph
