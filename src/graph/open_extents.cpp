#include "graph/open_extents.h"

#include <algorithm>
#include <exception>
#include <set>
#include <unordered_map>

#include <onnx/shape_inference/implementation.h>

#include "graph/cut.h"
#include "graph/run_index.h"
#include "graph/tensor_checks.h"

namespace mpq::graph {

namespace {

const onnx::GraphProto* body_of(const onnx::NodeProto& loop) {
  for (const auto& attribute : loop.attribute()) {
    if (attribute.name() == "body") return &attribute.g();
  }
  return nullptr;
}

/// Whether a Loop's condition is handed on as it came in, or is a constant: it then runs as often as it is told to.
bool runs_to_its_end(const onnx::NodeProto& loop) {
  const onnx::GraphProto* body = body_of(loop);
  if (body == nullptr || body->input_size() < 2 || body->output_size() == 0) return false;
  std::string condition = body->output(0).name();
  for (int i = body->node_size() - 1; i >= 0; --i) {
    const onnx::NodeProto& node = body->node(i);
    if (node.output_size() == 0 || node.output(0) != condition) continue;
    if (node.op_type() == "Constant") return true;
    if (node.op_type() != "Identity" && node.op_type() != "Cast") return false;
    condition = node.input(0);
  }
  return condition == body->input(1).name();
}

/// What is known of the main graph's values, by their numbers.
class Extents {
 public:
  explicit Extents(const RunForm& form)
      : form_(form), index_(*form.index), computed_(index_.values.size()), open_(index_.values.size()) {
    for (const std::string& weight : form.weight_names) {
      const int value = index_.find(weight);
      if (value >= 0) computed_[at(value)] = true;
    }
    for (int n = 0; n < form.model.graph().node_size(); ++n) spread(n);
  }

  bool open(int value) const { return open_[at(value)]; }

  /// Computed values with known extents that open outputs are made from.
  std::vector<int> in_front_of(const std::vector<int>& outputs) const {
    std::set<int> found, seen(outputs.begin(), outputs.end());
    std::vector<int> left(outputs);
    while (!left.empty()) {
      const int value = left.back();
      left.pop_back();
      const int producer = index_.value(value).producer;
      if (producer < 0) continue;
      for (const int read : index_.node(producer).reads) {
        if (!open_[at(read)] && computed_[at(read)] && !index_.value(read).constant) found.insert(read);
        if (open_[at(read)] && seen.insert(read).second) left.push_back(read);
      }
    }
    return {found.begin(), found.end()};
  }

 private:
  static std::size_t at(int index) { return static_cast<std::size_t>(index); }

  void spread(int n) {
    const onnx::NodeProto& node = form_.model.graph().node(n);
    const RunIndex::NodeFacts& facts = index_.node(n);
    const bool of_shape_alone = node.op_type() == "Shape" || node.op_type() == "Size";
    const bool computed = any(facts.reads, computed_);
    const bool open = opens(node, computed) || (follows_first(node) ? first_is_open(node) : any(facts.reads, open_));
    for (const int written : facts.writes) {
      computed_[at(written)] = computed && (!of_shape_alone || open);
      open_[at(written)] = open;
    }
  }

  /// What the weights have a say in decides the extents.
  bool opens(const onnx::NodeProto& node, bool computed) const {
    static const std::set<std::string> kChoosing = {"NonMaxSuppression", "NonZero", "Unique"};
    if (!computed) return false;
    if (kChoosing.count(node.op_type()) > 0) return true;
    if (node.op_type() == "Compress") return is_computed(node.input(1));
    if (node.op_type() != "Loop") return false;
    const bool told = node.input_size() > 0 && !node.input(0).empty() && !is_computed(node.input(0)) &&
                      (node.input_size() < 2 || node.input(1).empty() || !is_computed(node.input(1)));
    return !told || !runs_to_its_end(node);
  }

  static bool follows_first(const onnx::NodeProto& node) {
    return node.op_type() == "ScatterND" || node.op_type() == "ScatterElements";
  }
  bool first_is_open(const onnx::NodeProto& node) const {
    const int value = index_.find(node.input(0));
    return value >= 0 && open_[at(value)];
  }
  bool is_computed(const std::string& name) const {
    const int value = index_.find(name);
    return value >= 0 && computed_[at(value)];
  }
  static bool any(const std::vector<int>& values, const std::vector<bool>& of) {
    return std::any_of(values.begin(), values.end(), [&](int value) { return of[at(value)]; });
  }

  const RunForm& form_;
  const RunIndex& index_;
  std::vector<bool> computed_;  ///< the weights have a say in it
  std::vector<bool> open_;
};

/// Element types by name, as far as ONNX's inference finds them.
std::unordered_map<std::string, int> element_types(const onnx::ModelProto& model) {
  onnx::ModelProto inferred = model;
  try {
    onnx::shape_inference::InferShapes(inferred);
  } catch (const std::exception&) {
    // What the file says itself has to do.
  }
  std::unordered_map<std::string, int> types;
  for (const auto& info : inferred.graph().value_info()) types[info.name()] = info.type().tensor_type().elem_type();
  return types;
}

}  // namespace

OpenExtents open_extents(const Model& model) {
  const RunForm form = run_form(model);
  const Extents extents(form);
  std::vector<int> outputs;
  for (const ValueInfo& output : model.outputs()) {
    const int value = form.index->find(output.name);
    if (value >= 0 && extents.open(value)) outputs.push_back(value);
  }
  if (outputs.empty()) return {};
  OpenExtents result;
  const auto types = element_types(form.model);
  for (const int value : extents.in_front_of(outputs)) {
    const std::string& name = form.index->value(value).name;
    const auto type = types.find(name);
    if (type != types.end() && type->second == onnx::TensorProto::FLOAT)
      result.settled.push_back({name, DType::kFloat32, {}, {}, false});
  }
  if (result.settled.empty()) return {};
  for (const int value : outputs) result.outputs.push_back(form.index->value(value).name);
  return result;
}

}  // namespace mpq::graph
