#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "mpq/model.h"

namespace mpq::graph {

/// The first operator set whose DequantizeLinear takes a scale per channel, as integer kernels need it.
inline constexpr std::int64_t kScalePerChannel = 13;

/// An input slot of a node of the main graph. Nodes go by their first output's name, which no rewriting changes.
struct Slot {
  std::string node;
  int input = 0;
  std::string value;  ///< what it reads
};

/// One operator that ONNX Runtime can run on 8-bit activations, with what it takes in: a Pad with zeros in front of a
/// Conv, a Relu or Clip behind it.
struct IntegerUnit {
  enum class Kind {
    kWeighted,   ///< Conv or Gemm with a layer's weight: QLinearConv, QGemm
    kCombining,  ///< Add, Mul, Sigmoid, pooling by averages, Concat, ...: kernels with grids of their own for all ends
    kPassing     ///< MaxPool, Reshape, Transpose, ...: hands its input's integers on, so both ends share one grid
  };
  Kind kind = Kind::kPassing;
  std::string node;         ///< the operator's first output
  std::size_t layer = 0;    ///< kWeighted: index into Model::layers()
  std::vector<Slot> reads;  ///< activations
  std::string output;       ///< the activation it delivers: behind the Relu or Clip it takes in
};

struct IntegerUnits {
  std::vector<IntegerUnit> units;    ///< in the order of the nodes
  std::vector<std::string> reasons;  ///< per layer: why it is no unit; empty where it is one
};

/// The units of the main graph. `wanted`, parallel to Model::layers(), tells the layers whose weights shall be
/// integers.
IntegerUnits integer_units(const Model& model, const std::vector<char>& wanted);

}  // namespace mpq::graph
