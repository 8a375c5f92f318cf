#include "graph/adjoint/builder.h"

#include <cstring>

namespace mpq::graph::adjoint {

namespace {

void set(onnx::AttributeProto& attribute, const Attribute& source) {
  attribute.set_name(source.name);
  if (const auto* number = std::get_if<std::int64_t>(&source.value)) {
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(*number);
  } else if (const auto* list = std::get_if<Shape>(&source.value)) {
    attribute.set_type(onnx::AttributeProto::INTS);
    for (const auto element : *list) attribute.add_ints(element);
  } else if (const auto* real = std::get_if<float>(&source.value)) {
    attribute.set_type(onnx::AttributeProto::FLOAT);
    attribute.set_f(*real);
  } else {
    attribute.set_type(onnx::AttributeProto::STRING);
    attribute.set_s(std::get<std::string>(source.value));
  }
}

template <typename T>
std::string raw(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace

std::int64_t count_of(const Shape& shape) {
  std::int64_t count = 1;
  for (const auto extent : shape) count *= extent;
  return count;
}

Shape joined(Shape a, const Shape& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Builder::Builder(onnx::GraphProto& graph, const FactsMap& facts, std::int64_t probes)
    : graph_(graph), facts_(facts), probes_(probes) {}

const ValueFacts& Builder::facts(const std::string& value) const {
  const auto found = facts_.find(value);
  if (found == facts_.end()) throw NoRule("the shape of \"" + value + "\" is not known");
  return found->second;
}

std::string Builder::fresh(const std::string& stem) {
  std::string name;
  do {
    name = "mpq_adjoint_" + stem + "_" + std::to_string(next_++);
  } while (facts_.count(name) > 0);
  return name;
}

std::string Builder::emit(const std::string& op, const std::vector<std::string>& inputs, const Attributes& attributes) {
  onnx::NodeProto& node = *graph_.add_node();
  node.set_op_type(op);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(fresh(op));
  node.set_name(node.output(0));
  for (const Attribute& attribute : attributes) set(*node.add_attribute(), attribute);
  return node.output(0);
}

std::string Builder::floats(const std::vector<float>& values, const Shape& shape) {
  const std::string bytes = raw(values);
  std::string& name = constants_["f" + raw(shape) + "|" + bytes];
  if (!name.empty()) return name;
  name = fresh("constant");
  onnx::TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const auto extent : shape) tensor.add_dims(extent);
  tensor.set_raw_data(bytes);
  return name;
}

std::string Builder::ints(const Shape& values) {
  const std::string bytes = raw(values);
  std::string& name = constants_["i" + bytes];
  if (!name.empty()) return name;
  name = fresh("constant");
  onnx::TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::INT64);
  tensor.add_dims(static_cast<std::int64_t>(values.size()));
  tensor.set_raw_data(bytes);
  return name;
}

std::string Builder::transpose_last(const std::string& value, std::size_t rank) {
  Shape permutation;
  for (std::size_t axis = 0; axis < rank; ++axis) permutation.push_back(static_cast<std::int64_t>(axis));
  std::swap(permutation[rank - 2], permutation[rank - 1]);
  return transpose(value, permutation);
}

std::string Builder::sum(const std::string& value, const Shape& axes, bool keep) {
  if (axes.empty()) return value;
  return emit("ReduceSum", {value, ints(axes)}, {{"keepdims", std::int64_t{keep}}});
}

std::string Builder::sum_to(std::string adjoint, const Shape& from, const Shape& to) {
  if (from == to) return adjoint;
  const std::size_t extra = from.size() - to.size();
  Shape dropped, kept;
  for (std::size_t axis = 0; axis < extra; ++axis) dropped.push_back(static_cast<std::int64_t>(axis) + 1);
  adjoint = sum(adjoint, dropped, false);
  for (std::size_t axis = 0; axis < to.size(); ++axis) {
    if (to[axis] == 1 && from[extra + axis] != 1) kept.push_back(static_cast<std::int64_t>(axis) + 1);
  }
  return sum(adjoint, kept, true);
}

std::string Builder::pad(const std::string& adjoint, const Shape& before, const Shape& after) {
  const Shape none(before.size(), 0);
  if (before == none && after == none) return adjoint;
  return emit("Pad", {adjoint, ints(joined(joined(joined({0}, before), {0}), after))});
}

std::string Builder::map_axis(const std::string& value, Shape shape, std::size_t axis, const std::vector<float>& matrix,
                              std::int64_t to) {
  const std::int64_t from = shape[axis], all = count_of(shape);
  const std::int64_t after = count_of(Shape(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end()));
  shape[axis] = to;
  const std::string m = floats(matrix, {to, from});
  if (after == 1) {
    return reshape(emit("MatMul", {reshape(value, {all / from, from}), transpose(m, {1, 0})}), shape);
  }
  return reshape(emit("MatMul", {m, reshape(value, {all / (from * after), from, after})}), shape);
}

}  // namespace mpq::graph::adjoint
