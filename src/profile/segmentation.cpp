#include "profile/segmentation.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "graph/run_index.h"
#include "profile/node_groups.h"

namespace mpq::profiling {
namespace {

using graph::RunForm;
using graph::RunIndex;

std::size_t at(int number) { return static_cast<std::size_t>(number); }

void insert_sorted(std::vector<int>& list, int value) {
  const auto place = std::lower_bound(list.begin(), list.end(), value);
  if (place == list.end() || *place != value) list.insert(place, value);
}

class Describer {
 public:
  Describer(const Model& model, const RunForm& form, NodeGroups groups)
      : model_(model), form_(form), groups_(std::move(groups)) {
    result_.segments.resize(at(groups_.count));
  }

  Segmentation run() {
    add_nodes();
    add_outputs();
    add_layers();
    add_names();
    return std::move(result_);
  }

 private:
  Segment& segment(int group) { return result_.segments[at(group)]; }

  int group_of_value(int value) const {
    const int producer = form_.index->value(value).producer;
    return producer < 0 ? -1 : groups_.group[at(producer)];
  }

  int tensor_of(int value) {
    const auto [entry, is_new] = tensors_.try_emplace(value, static_cast<int>(result_.tensors.size()));
    if (is_new) {
      BoundaryTensor tensor;
      tensor.name = form_.index->value(value).name;
      tensor.producer = group_of_value(value);
      result_.tensors.push_back(std::move(tensor));
      if (result_.tensors.back().producer >= 0)
        insert_sorted(segment(result_.tensors.back().producer).outputs, entry->second);
    }
    return entry->second;
  }

  void add_nodes() {
    for (std::size_t i = 0; i < groups_.group.size(); ++i) {
      const int group = groups_.group[i];
      if (group < 0) continue;
      segment(group).nodes.push_back(static_cast<int>(i));
      for (const int value : groups_.reads[i]) {
        const int producer = group_of_value(value);
        if (producer == group) continue;
        const int tensor = tensor_of(value);
        insert_sorted(segment(group).inputs, tensor);
        insert_sorted(result_.tensors[at(tensor)].consumers, group);
        if (producer >= 0) insert_sorted(segment(group).predecessors, producer);
      }
    }
  }

  /// Outputs of the network that are constants or inputs need no segment and cross nowhere.
  void add_outputs() {
    for (const auto& output : form_.model.graph().output()) {
      const int value = form_.index->find(output.name());
      if (value >= 0 && group_of_value(value) >= 0) result_.tensors[at(tensor_of(value))].network_output = true;
    }
  }

  /// The groups that read a weight, straight or through nodes of constants.
  void add_readers(int value, const Layer& layer) {
    for (const int reader : form_.index->value(value).readers) {
      const int group = groups_.group[at(reader)];
      if (group < 0) {
        for (const int written : form_.index->node(reader).writes) add_readers(written, layer);
      } else if (segment(group).layers.empty() || segment(group).layers.back() != layer.name) {
        segment(group).layers.push_back(layer.name);
        segment(group).parameters += layer.parameters;
        if (layer.parameters > heaviest_[group].first) heaviest_[group] = {layer.parameters, layer.name};
      }
    }
  }

  void add_layers() {
    for (std::size_t i = 0; i < model_.layers().size(); ++i) {
      if (form_.weight_names[i].empty()) continue;
      add_readers(form_.index->find(form_.weight_names[i]), model_.layers()[i]);
    }
  }

  /// The layer with the most weights, else the first node, else what it is; a number makes the name unique.
  std::string plain_name(int group) const {
    const auto heaviest = heaviest_.find(group);
    if (heaviest != heaviest_.end()) return heaviest->second.second;
    const onnx::NodeProto& node = form_.model.graph().node(result_.segments[at(group)].nodes.front());
    return node.name().empty() ? node.op_type() : node.name();
  }

  void add_names() {
    std::map<std::string, int> times;
    for (int group = 0; group < groups_.count; ++group) ++times[plain_name(group)];
    for (int group = 0; group < groups_.count; ++group) {
      const std::string name = plain_name(group);
      segment(group).name = times[name] == 1 ? name : name + " #" + std::to_string(group);
    }
  }

  const Model& model_;
  const RunForm& form_;
  NodeGroups groups_;
  Segmentation result_;
  std::unordered_map<int, int> tensors_;                          // value -> position
  std::map<int, std::pair<std::int64_t, std::string>> heaviest_;  // group -> its largest layer
};

}  // namespace

Segmentation segmentation(const Model& model, const RunForm& form, const std::set<std::string>& kept) {
  return Describer(model, form, group_nodes(form, kept)).run();
}

}  // namespace mpq::profiling
