#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <onnx/onnx_pb.h>

#include "mpq/tensor.h"

// Emitting the nodes of a reverse-mode (vector-Jacobian) graph.

namespace mpq::graph::adjoint {

using Shape = std::vector<std::int64_t>;

/// What is known of a value on one sample. Graphs are built for fixed shapes.
struct ValueFacts {
  DType dtype = DType::kFloat32;
  Shape shape;
  /// Its numbers, where they are few and depend on nothing but constants and the shapes of the inputs.
  std::vector<double> numbers;
  bool fixed = false;  ///< `numbers` are known
};
using FactsMap = std::unordered_map<std::string, ValueFacts>;

/// There is no rule for a node: the adjoint stops there, and the layers behind it are measured by reruns.
class NoRule : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Attribute {
  const char* name;
  std::variant<std::int64_t, Shape, float, std::string> value;
};
using Attributes = std::vector<Attribute>;

std::int64_t count_of(const Shape& shape);
/// a followed by b.
Shape joined(Shape a, const Shape& b);

/// Appends nodes to a graph. Every adjoint carries a leading axis of `probes` elements, so that one forward pass serves
/// all probes and forward values broadcast against adjoints from the right. "Per-sample" axes and shapes leave it out.
class Builder {
 public:
  Builder(onnx::GraphProto& graph, const FactsMap& facts, std::int64_t probes);

  std::int64_t probes() const { return probes_; }
  /// Facts of a forward value. Throws NoRule when the value was not observed.
  const ValueFacts& facts(const std::string& value) const;
  const Shape& shape(const std::string& value) const { return facts(value).shape; }
  /// A value name not yet in use.
  std::string fresh(const std::string& stem);

  std::string emit(const std::string& op, const std::vector<std::string>& inputs, const Attributes& attributes = {});
  /// What `emit` appended last.
  onnx::NodeProto& last_node() { return *graph_.mutable_node(graph_.node_size() - 1); }
  std::string number(double value) { return floats({static_cast<float>(value)}, {}); }
  std::string floats(const std::vector<float>& values, const Shape& shape);
  std::string ints(const Shape& values);

  std::string add(const std::string& a, const std::string& b) { return emit("Add", {a, b}); }
  std::string sub(const std::string& a, const std::string& b) { return emit("Sub", {a, b}); }
  std::string mul(const std::string& a, const std::string& b) { return emit("Mul", {a, b}); }
  std::string div(const std::string& a, const std::string& b) { return emit("Div", {a, b}); }
  std::string neg(const std::string& a) { return emit("Neg", {a}); }
  /// 1 where the condition holds, else 0.
  std::string mask(const std::string& condition) { return emit("Cast", {condition}, {{"to", std::int64_t{1}}}); }
  std::string scaled(const std::string& a, double factor) { return factor == 1 ? a : mul(a, number(factor)); }

  /// Reshape to exactly this shape, probe axis included.
  std::string reshape(const std::string& value, const Shape& shape) { return emit("Reshape", {value, ints(shape)}); }
  /// An adjoint under another per-sample shape.
  std::string reshape_sample(const std::string& adjoint, const Shape& shape) {
    return reshape(adjoint, joined({probes_}, shape));
  }
  std::string transpose(const std::string& value, const Shape& permutation) {
    return emit("Transpose", {value}, {{"perm", permutation}});
  }
  /// Exchanges the last two of `rank` axes.
  std::string transpose_last(const std::string& value, std::size_t rank);
  /// Sum over axes counted with the probe axis.
  std::string sum(const std::string& value, const Shape& axes, bool keep);
  /// Undoes broadcasting: from the per-sample shape `from` to `to`.
  std::string sum_to(std::string adjoint, const Shape& from, const Shape& to);
  /// Zeros around an adjoint, by per-sample axis.
  std::string pad(const std::string& adjoint, const Shape& before, const Shape& after);
  /// begin <= index < end along one axis, counted with the probe axis.
  std::string slice(const std::string& value, std::int64_t begin, std::int64_t end, std::int64_t axis) {
    return emit("Slice", {value, ints({begin}), ints({end}), ints({axis})});
  }
  /// Multiplies along one axis of a value of this shape by `matrix` [to, shape[axis]].
  std::string map_axis(const std::string& value, Shape shape, std::size_t axis, const std::vector<float>& matrix,
                       std::int64_t to);
  std::string zeros(const Shape& shape) { return emit("Expand", {number(0), ints(shape)}); }

 private:
  onnx::GraphProto& graph_;
  const FactsMap& facts_;
  std::int64_t probes_;
  int next_ = 0;
  std::unordered_map<std::string, std::string> constants_;  // by content
};

}  // namespace mpq::graph::adjoint
