#pragma once

#include <map>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "graph/adjoint/builder.h"

namespace mpq::graph::adjoint {

/// A value of the network where probes come in.
struct Head {
  /// What the probe r (entries +-1) is turned into, so that the mean of <dL/dvalue change>^2 is the metric to second
  /// order (Hutchinson 1989; Fisher and Gauss-Newton: Martens 2014), up to the probe's scale:
  ///   kDirect:        r                                  |dy|^2
  ///   kLogits:        sqrt(p) r - p <sqrt(p), r>         2 KL of softmax(y), per row
  ///   kProbabilities: as kLogits, at the input of the softmax that makes them; else r / sqrt(p)
  ///   kSigmoid:       sqrt(p (1-p)) r at the logit; else r / sqrt(p (1-p))     2 KL of Bernoulli variables
  enum class Kind { kDirect, kLogits, kProbabilities, kSigmoid };
  std::string value;
  Kind kind = Kind::kDirect;
  /// Of kLogits, and of kProbabilities where the network has the logits: p = softmax(logits / temperature). Above 1 the
  /// probes are multiplied by `level`.
  double temperature = 1;
  double level = 1;
};

/// The adjoint of a weight that a Gather reads: dL/dW[indices[i]] += adjoint[probe, i].
struct GatheredAdjoint {
  std::string adjoint, indices;  ///< outputs of the graph: [probes, indices..., row...], [indices...]
};

/// dL/dW of one weight is the sum of its parts; none when the weight does not reach the heads.
struct WeightAdjoint {
  std::string weight;
  std::string dense;  ///< output of the graph, [probes, weight's shape]; "" = none
  std::vector<GatheredAdjoint> gathered;
  std::string stop;  ///< why it has none: "Loop: no rule"; then there are no parts
};

/// Where `forward` is a piece of a network: what its adjoint has to do with the other pieces.
struct Border {
  std::vector<std::string> inputs;             ///< float32 inputs whose adjoints are wanted, for the pieces before
  std::map<std::string, std::string> stopped;  ///< outputs behind which the adjoint stopped, and why
};

struct AdjointGraph {
  onnx::ModelProto model;           ///< inputs: the network's and the probes; outputs: the adjoints
  std::vector<std::string> probes;  ///< per head: an input of the shape [probes, value's shape]
  std::vector<WeightAdjoint> weights;
  std::vector<WeightAdjoint> inputs;  ///< parallel to Border::inputs; dense
};

/// The reverse-mode graph of `forward` (operator set 17 or later, nodes sorted), in standard operators, for the shapes
/// in `facts`, which covers every value of the main graph. `weights` are initializers, or inputs that stand for them.
AdjointGraph build(const onnx::ModelProto& forward, const FactsMap& facts, const std::vector<std::string>& weights,
                   const std::vector<Head>& heads, std::int64_t probes, const Border& border = {});

}  // namespace mpq::graph::adjoint
