#pragma once

#include <map>
#include <span>
#include <string>

#include <onnx/onnx_pb.h>

#include "mpq/samples.h"

#include "graph/tensor_store.h"

namespace mpq::runtime {

/// What ONNX Runtime made of a model: the graph it runs after all of its optimizations, large tensors left out, and
/// how long its nodes took.
struct OptimizedModel {
  onnx::ModelProto model;
  struct NodeTime {
    std::string op;
    double microseconds = 0;  ///< median over the timed runs
  };
  std::map<std::string, NodeTime> times;  ///< by node name; nodes of one name and run are added up
  double microseconds = 0;                ///< median over the runs of the sum over all nodes
};

/// `runs` timed runs over the feeds in turn, after two that are not counted; 0 only loads the model. Throws as Session.
OptimizedModel optimized_model(const onnx::ModelProto& skeleton, const graph::TensorStore& store,
                               std::span<const Feed> feeds, int threads, int runs);

}  // namespace mpq::runtime
