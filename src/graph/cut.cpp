#include "graph/cut.h"

#include <algorithm>
#include <functional>
#include <unordered_set>

#include "mpq/error.h"

#include "graph/frame.h"
#include "graph/run_index.h"
#include "graph/wording.h"

namespace mpq::graph {
namespace {

/// Whether a value can be fed from outside; one that cannot has its producer kept inside the cut.
using Feedable = std::function<bool(const RunIndex::ValueFacts&)>;

class Selector {
 public:
  Selector(const RunIndex& index, int weight)
      : index_(index), weight_(weight), reached_(index.nodes.size(), 0), needed_(index.values.size(), 0) {
    selection_.nodes.assign(index.nodes.size(), 0);
    selection_.constants.assign(index.values.size(), 0);
  }

  Selection run(const std::vector<std::string>& targets, const Feedable& feedable) {
    mark_reached();
    for (const std::string& name : targets) {
      const int value = index_.find(name);
      if (value < 0 || !is_reached(value)) continue;
      selection_.targets.push_back(value);
      need(value);
    }
    while (!open_.empty()) {
      const int value = open_.back();
      open_.pop_back();
      settle(value, feedable);
    }
    std::sort(boundary_.begin(), boundary_.end());
    for (const int value : boundary_) {
      const int producer = index_.value(value).producer;  // kept after all, for another of its outputs
      if (producer < 0 || !selection_.nodes[at(producer)]) selection_.boundary.push_back(value);
    }
    return std::move(selection_);
  }

 private:
  static std::size_t at(int number) { return static_cast<std::size_t>(number); }

  bool is_reached(int value) const {
    const int producer = index_.value(value).producer;
    return producer >= 0 && reached_[at(producer)];
  }

  void mark_reached() {
    std::vector<int> values = {weight_};
    while (!values.empty()) {
      const int value = values.back();
      values.pop_back();
      for (const int reader : index_.value(value).readers) {
        if (reached_[at(reader)]) continue;
        reached_[at(reader)] = 1;
        const auto& writes = index_.node(reader).writes;
        values.insert(values.end(), writes.begin(), writes.end());
      }
    }
  }

  void need(int value) {
    if (value == weight_ || needed_[at(value)]) return;
    needed_[at(value)] = 1;
    open_.push_back(value);
  }

  void settle(int value, const Feedable& feedable) {
    const RunIndex::ValueFacts& facts = index_.value(value);
    if (facts.initializer >= 0 || facts.sparse >= 0) {
      selection_.constants[at(value)] = 1;
    } else if (facts.producer >= 0 && (is_reached(value) || facts.constant || !feedable(facts))) {
      keep(facts.producer);
    } else {
      boundary_.push_back(value);
    }
  }

  void keep(int node) {
    if (selection_.nodes[at(node)]) return;
    selection_.nodes[at(node)] = 1;
    for (const int value : index_.node(node).reads) need(value);
  }

  const RunIndex& index_;
  int weight_;
  std::vector<char> reached_, needed_;
  std::vector<int> open_, boundary_;
  Selection selection_;
};

int weight_number(const RunForm& form, std::size_t layer) {
  const int number = form.index->find(form.weight_names.at(layer));
  if (number < 0 || form.index->value(number).initializer < 0) {
    throw Error(ErrorCode::kInternal, "Layer " + std::to_string(layer) + " has no weight in the run form.");
  }
  return number;
}

const onnx::TensorProto& weight_tensor(const RunForm& form, std::size_t layer) {
  return form.model.graph().initializer(form.index->value(weight_number(form, layer)).initializer);
}

void add_weight_input(const RunForm& form, std::size_t layer, onnx::GraphProto& graph) {
  const onnx::TensorProto& tensor = weight_tensor(form, layer);
  onnx::ValueInfoProto& input = *graph.add_input();
  input.set_name(tensor.name());
  auto& type = *input.mutable_type()->mutable_tensor_type();
  type.set_elem_type(tensor.data_type());
  for (const auto extent : tensor.dims()) type.mutable_shape()->add_dim()->set_dim_value(extent);
}

double share_of(const RunIndex& index, const Selection& selection) {
  double kept = 0, all = 0;
  for (std::size_t i = 0; i < index.nodes.size(); ++i) {
    all += index.nodes[i].weight;
    if (selection.nodes[i]) kept += index.nodes[i].weight;
  }
  return all > 0 ? kept / all : 0;
}

std::vector<std::string> names_of(const RunIndex& index, const std::vector<int>& values) {
  std::vector<std::string> names;
  for (const int value : values) names.push_back(index.value(value).name);
  return names;
}

}  // namespace

namespace {

std::vector<std::string> boundary_from(const RunForm& form, int start, const std::vector<std::string>& targets) {
  const Selection selection =
      Selector(*form.index, start).run(targets, [](const RunIndex::ValueFacts& value) { return value.tensor; });
  return names_of(*form.index, selection.boundary);
}

int value_number(const RunForm& form, const std::string& value) {
  const int number = form.index->find(value);
  if (number < 0) throw Error(ErrorCode::kInternal, "The run form has no value named " + in_quotes(value) + ".");
  return number;
}

}  // namespace

std::vector<std::string> boundary_of(const RunForm& form, std::size_t layer, const std::vector<std::string>& targets) {
  return boundary_from(form, weight_number(form, layer), targets);
}

std::vector<std::string> boundary_behind(const RunForm& form, const std::string& value,
                                         const std::vector<std::string>& targets) {
  return boundary_from(form, value_number(form, value), targets);
}

Cut cut_behind_value(const RunForm& form, const std::string& value, const std::vector<std::string>& targets,
                     const std::map<std::string, ValueInfo>& types) {
  const int number = value_number(form, value);
  const auto feedable = [&](const RunIndex::ValueFacts& facts) { return facts.tensor && types.count(facts.name) > 0; };
  const Selection selection = Selector(*form.index, number).run(targets, feedable);
  Cut cut;
  cut.model = frame(form.model);
  cut.boundary = names_of(*form.index, selection.boundary);
  cut.weight = value;
  cut.node_share = share_of(*form.index, selection);
  onnx::GraphProto& graph = *cut.model.mutable_graph();
  add_boundary(form, selection.boundary, types, graph);
  add_boundary(form, {number}, types, graph);
  add_outputs(form, selection.targets, types, graph);
  add_contents(form, selection, graph);
  return cut;
}

Cut cut_behind(const RunForm& form, std::size_t layer, const std::vector<std::string>& targets,
               const std::map<std::string, ValueInfo>& types) {
  const auto feedable = [&](const RunIndex::ValueFacts& value) { return value.tensor && types.count(value.name) > 0; };
  const Selection selection = Selector(*form.index, weight_number(form, layer)).run(targets, feedable);
  Cut cut;
  cut.model = frame(form.model);
  cut.boundary = names_of(*form.index, selection.boundary);
  cut.weight = form.weight_names[layer];
  cut.node_share = share_of(*form.index, selection);
  onnx::GraphProto& graph = *cut.model.mutable_graph();
  add_boundary(form, selection.boundary, types, graph);
  add_weight_input(form, layer, graph);
  add_outputs(form, selection.targets, types, graph);
  add_contents(form, selection, graph);
  return cut;
}

std::vector<std::string> layer_outputs(const RunForm& form, std::size_t layer) {
  const RunIndex& index = *form.index;
  std::vector<int> open = {weight_number(form, layer)};
  std::unordered_set<int> seen(open.begin(), open.end());
  std::vector<int> outputs;
  while (!open.empty()) {
    const int value = open.back();
    open.pop_back();
    for (const int reader : index.value(value).readers) {
      for (const int written : index.node(reader).writes) {
        if (!seen.insert(written).second) continue;
        if (index.node(reader).constant) {
          open.push_back(written);
        } else if (index.value(written).tensor) {
          outputs.push_back(written);
        }
      }
    }
  }
  std::sort(outputs.begin(), outputs.end());
  return names_of(index, outputs);
}

Cut whole_with_weight_input(const RunForm& form, std::size_t layer) {
  Cut cut;
  cut.weight = form.weight_names.at(layer);
  const int initializer = form.index->value(weight_number(form, layer)).initializer;
  cut.model = form.model;
  onnx::GraphProto& graph = *cut.model.mutable_graph();
  for (const auto& input : graph.input()) cut.boundary.push_back(input.name());
  graph.mutable_initializer()->DeleteSubrange(initializer, 1);
  add_weight_input(form, layer, graph);
  return cut;
}

onnx::ModelProto with_outputs(const RunForm& form, const std::vector<std::string>& values) {
  onnx::ModelProto model = form.model;
  auto& outputs = *model.mutable_graph()->mutable_output();
  outputs.Clear();
  std::vector<int> numbers;
  for (const std::string& name : values) {
    const int number = form.index->find(name);
    if (number < 0) throw Error(ErrorCode::kInternal, "The run form has no value named " + in_quotes(name) + ".");
    numbers.push_back(number);
  }
  add_outputs(form, numbers, {}, *model.mutable_graph());
  return model;
}

}  // namespace mpq::graph
