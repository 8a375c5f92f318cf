#include "graph/subnet.h"

#include <unordered_set>

#include "mpq/error.h"

#include "graph/frame.h"
#include "graph/run_index.h"
#include "graph/wording.h"

namespace mpq::graph {
namespace {

int number_of(const RunForm& form, const std::string& name) {
  const int number = form.index->find(name);
  if (number < 0) throw Error(ErrorCode::kInternal, "The network has no value named " + in_quotes(name) + ".");
  return number;
}

/// The nodes and constants that the outputs need, found backwards from them to the inputs.
class Backwards {
 public:
  Backwards(const RunForm& form, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs)
      : form_(form), seen_(form.index->values.size(), 0) {
    selection_.nodes.assign(form.index->nodes.size(), 0);
    selection_.constants.assign(form.index->values.size(), 0);
    for (const std::string& name : inputs) {
      selection_.boundary.push_back(number_of(form, name));
      seen_[at(selection_.boundary.back())] = 1;
    }
    for (const std::string& name : outputs) {
      selection_.targets.push_back(number_of(form, name));
      need(selection_.targets.back());
    }
  }

  Selection run() && {
    while (!open_.empty()) {
      const int value = open_.back();
      open_.pop_back();
      settle(value);
    }
    return std::move(selection_);
  }

 private:
  static std::size_t at(int number) { return static_cast<std::size_t>(number); }

  void need(int value) {
    if (seen_[at(value)]) return;
    seen_[at(value)] = 1;
    open_.push_back(value);
  }

  void settle(int number) {
    const RunIndex::ValueFacts& value = form_.index->value(number);
    if (value.initializer >= 0 || value.sparse >= 0) {
      selection_.constants[at(number)] = 1;
    } else if (value.producer >= 0) {
      selection_.nodes[at(value.producer)] = 1;
      for (const int read : form_.index->node(value.producer).reads) need(read);
    } else {
      throw Error(ErrorCode::kInternal,
                  "The cut needs the value " + in_quotes(value.name) + ", which is not fed to it.");
    }
  }

  const RunForm& form_;
  std::vector<char> seen_;
  std::vector<int> open_;
  Selection selection_;
};

}  // namespace

onnx::ModelProto subnet(const RunForm& form, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs, const std::map<std::string, ValueInfo>& types) {
  const Selection selection = Backwards(form, inputs, outputs).run();
  onnx::ModelProto model = frame(form.model);
  onnx::GraphProto& graph = *model.mutable_graph();
  add_boundary(form, selection.boundary, types, graph);
  add_outputs(form, selection.targets, types, graph);
  add_contents(form, selection, graph);
  return model;
}

}  // namespace mpq::graph
