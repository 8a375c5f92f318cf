#include "graph/adjoint/adjoint.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "graph/adjoint/rule.h"
#include "graph/model_impl.h"
#include "graph/scopes.h"

namespace mpq::graph::adjoint {

namespace {

using Names = std::unordered_set<std::string>;

std::vector<std::string> reads_of(const onnx::NodeProto& node) {
  std::vector<std::string> reads;
  for_each_read(node, [&](const std::string& value) { reads.push_back(value); });
  return reads;
}

bool any_in(const std::vector<std::string>& values, const Names& set) {
  return std::any_of(values.begin(), values.end(), [&](const std::string& value) { return set.count(value) > 0; });
}

std::vector<std::string> outputs_of(const onnx::NodeProto& node) {
  return {node.output().begin(), node.output().end()};
}

/// One sweep over the nodes from the heads back to the weights.
class Sweep {
 public:
  Sweep(const onnx::ModelProto& forward, const FactsMap& facts, const std::vector<std::string>& weights,
        std::int64_t probes, const Border& border)
      : facts_(facts),
        weights_(weights.begin(), weights.end()),
        border_(border),
        b_(*result_.model.mutable_graph(), facts, probes) {
    result_.model.CopyFrom(forward);
    graph().clear_value_info();
    graph().clear_output();
    fix_input_shapes();
    find_active();
    for (const auto& [value, reason] : border.stopped) {
      stopped_.emplace(value, reason);
      leads_.insert(value);
    }
  }

  void inject(const Head& head);
  void run();
  AdjointGraph finish(const std::vector<std::string>& weights);

 private:
  onnx::GraphProto& graph() { return *result_.model.mutable_graph(); }
  bool is_float(const std::string& value) const {
    const auto found = facts_.find(value);
    return found != facts_.end() && found->second.dtype == DType::kFloat32;
  }
  void fix_input_shapes();
  void find_active();
  onnx::NodeProto* producer(const std::string& value, const char* op);
  onnx::NodeProto* softmax_behind(std::string value);
  bool keeps_rows(const std::string& from, const std::string& to) const;
  void inject_rows(const Head& head, const std::string& logits, std::string p, std::string probe);
  void seed(const std::string& value, const std::string& adjoint) { arrived_[value].push_back(adjoint); }
  std::string collected(const std::string& value);
  void visit(onnx::NodeProto& node);
  void apply(onnx::NodeProto& node, const std::vector<std::string>& adjoints);
  void stop(const onnx::NodeProto& node, const std::string& reason);
  std::string as_output(const std::string& value, const std::string& stem, int type);
  void prune();

  const FactsMap& facts_;
  Names weights_;
  const Border& border_;
  AdjointGraph result_;
  Builder b_;
  Names active_;  ///< float32 values that depend on a weight
  Names leads_;   ///< values that lead to a head
  int forward_nodes_ = 0;
  std::unordered_map<std::string, std::vector<std::string>> arrived_;  ///< adjoints so far, by forward value
  std::unordered_map<std::string, std::string> stopped_;               ///< reason, by forward value
  std::unordered_map<std::string, std::vector<GatheredAdjoint>> gathered_;
};

void set_shape(onnx::ValueInfoProto& info, const Shape& shape) {
  auto& dims = *info.mutable_type()->mutable_tensor_type()->mutable_shape();
  dims.clear_dim();
  for (const auto extent : shape) dims.add_dim()->set_dim_value(extent);
}

void Sweep::fix_input_shapes() {
  for (auto& input : *graph().mutable_input()) {
    const auto found = facts_.find(input.name());
    if (found != facts_.end()) set_shape(input, found->second.shape);
  }
}

void Sweep::find_active() {
  forward_nodes_ = graph().node_size();
  active_ = weights_;
  active_.insert(border_.inputs.begin(), border_.inputs.end());
  for (const auto& node : graph().node()) {
    if (!any_in(reads_of(node), active_)) continue;
    for (const auto& output : node.output()) {
      if (is_float(output)) active_.insert(output);
    }
  }
}

onnx::NodeProto* Sweep::producer(const std::string& value, const char* op) {
  for (int i = 0; i < forward_nodes_; ++i) {
    onnx::NodeProto& node = *graph().mutable_node(i);
    if (node.op_type() == op && node.output(0) == value) return &node;
  }
  return nullptr;
}

void Sweep::inject(const Head& head) {
  const Shape& shape = b_.shape(head.value);
  const std::string probe = b_.fresh("probe");
  result_.probes.push_back(probe);
  onnx::ValueInfoProto& input = *graph().add_input();
  input.set_name(probe);
  input.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
  set_shape(input, joined({b_.probes()}, shape));
  leads_.insert(head.value);
  const auto spread = [&] { return b_.mul(head.value, b_.sub(b_.number(1), head.value)); };
  switch (head.kind) {
    case Head::Kind::kDirect:
      return seed(head.value, probe);
    case Head::Kind::kLogits:
      return inject_rows(head, head.value, "", probe);
    case Head::Kind::kProbabilities:
      if (const onnx::NodeProto* node = softmax_behind(head.value)) {
        return inject_rows(head, node->input(0), node->output(0), probe);
      }
      return seed(head.value, b_.div(probe, b_.emit("Sqrt", {b_.emit("Max", {head.value, b_.number(1e-9)})})));
    case Head::Kind::kSigmoid:
      if (const onnx::NodeProto* node = producer(head.value, "Sigmoid")) {
        return seed(node->input(0), b_.mul(b_.emit("Sqrt", {b_.emit("Max", {spread(), b_.number(0)})}), probe));
      }
      return seed(head.value, b_.div(probe, b_.emit("Sqrt", {b_.emit("Max", {spread(), b_.number(1e-7)})})));
  }
}

/// `p`: the softmax of the logits where the network has it, else "".
void Sweep::inject_rows(const Head& head, const std::string& logits, std::string p, std::string probe) {
  const Shape& shape = b_.shape(logits);
  if (b_.shape(head.value) != shape) probe = b_.reshape_sample(probe, shape);
  if (head.temperature != 1) probe = b_.scaled(probe, head.level);
  if (head.temperature != 1 || p.empty()) {
    p = b_.emit("Softmax", {b_.scaled(logits, 1 / head.temperature)}, {{"axis", std::int64_t{-1}}});
  }
  const std::string q = b_.mul(b_.emit("Sqrt", {p}), probe);
  seed(logits, b_.sub(q, b_.mul(b_.sum(q, {static_cast<std::int64_t>(shape.size())}, true), p)));
}

/// The softmax over the last axis that makes the value, rows kept whole on the way. Null for none.
onnx::NodeProto* Sweep::softmax_behind(std::string value) {
  for (;;) {
    if (onnx::NodeProto* node = producer(value, "Softmax")) {
      const std::size_t rank = b_.shape(value).size();
      return RuleCall{b_, *node, {}, {}}.axis(-1, rank) + 1 == static_cast<std::int64_t>(rank) ? node : nullptr;
    }
    onnx::NodeProto* node = producer(value, "Reshape");
    if (node == nullptr) node = producer(value, "Identity");
    if (node == nullptr || !keeps_rows(node->input(0), value)) return nullptr;
    value = node->input(0);
  }
}

bool Sweep::keeps_rows(const std::string& from, const std::string& to) const {
  const Shape &a = b_.shape(from), &b = b_.shape(to);
  return !a.empty() && !b.empty() && a.back() == b.back();
}

std::string Sweep::collected(const std::string& value) {
  const auto found = arrived_.find(value);
  if (found == arrived_.end()) return "";
  std::string total = found->second[0];
  for (std::size_t i = 1; i < found->second.size(); ++i) total = b_.add(total, found->second[i]);
  found->second = {total};
  return total;
}

void Sweep::stop(const onnx::NodeProto& node, const std::string& reason) {
  for (const std::string& value : reads_of(node)) {
    if (active_.count(value) > 0) stopped_.emplace(value, reason);
  }
}

void Sweep::visit(onnx::NodeProto& node) {
  const std::vector<std::string> outputs = outputs_of(node), reads = reads_of(node);
  if (!any_in(outputs, leads_)) return;
  leads_.insert(reads.begin(), reads.end());
  if (!any_in(reads, active_)) return;
  for (const std::string& output : outputs) {
    const auto found = stopped_.find(output);
    if (found != stopped_.end()) return stop(node, found->second);
  }
  if (!any_in(outputs, active_)) {
    if (!locally_constant(node.op_type())) stop(node, node.op_type() + ": its results are no float32 numbers");
    return;
  }
  std::vector<std::string> adjoints;
  for (const std::string& output : outputs) adjoints.push_back(output.empty() ? "" : collected(output));
  if (std::any_of(adjoints.begin(), adjoints.end(), [](const std::string& a) { return !a.empty(); })) {
    apply(node, adjoints);
  }
}

/// A rule that gives up half-way leaves nothing behind.
void Sweep::apply(onnx::NodeProto& node, const std::vector<std::string>& adjoints) {
  const int before = graph().node_size();
  try {
    if (node.op_type() == "Gather" && weights_.count(node.input(0)) > 0) {
      const RuleCall call{b_, node, adjoints, {}};
      if (call.axis(0, call.xs().size()) == 0 && active_.count(node.input(1)) == 0) {
        gathered_[node.input(0)].push_back({adjoints[0], node.input(1)});
        return;
      }
    }
    const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
    const auto rule = rules().find(node.op_type());
    if (!standard || rule == rules().end()) throw NoRule("there is no rule for it");
    RuleCall call{b_, node, adjoints, {}};
    for (const auto& input : node.input()) call.wanted.push_back(active_.count(input) > 0);
    if (adjoints[0].empty() && node.op_type() != "Split") throw NoRule("only its optional outputs are read");
    rule->second(call);
    for (std::size_t i = 0; i < call.given.size(); ++i) {
      if (call.wanted[i] && !call.given[i].empty()) seed(node.input(static_cast<int>(i)), call.given[i]);
    }
  } catch (const NoRule& reason) {
    graph().mutable_node()->DeleteSubrange(before, graph().node_size() - before);
    stop(node, node.op_type() + ": " + reason.what());
  }
}

void Sweep::run() {
  for (int i = forward_nodes_; i-- > 0;) visit(*graph().mutable_node(i));
}

std::string Sweep::as_output(const std::string& value, const std::string& stem, int type) {
  const std::string copy = b_.emit("Identity", {value});
  const std::string name = b_.fresh(stem);
  graph().mutable_node(graph().node_size() - 1)->set_output(0, name);
  onnx::ValueInfoProto& output = *graph().add_output();
  output.set_name(name);
  output.mutable_type()->mutable_tensor_type()->set_elem_type(type);
  return name;
}

/// Drops nodes that lead to no output: runtimes would run them.
void Sweep::prune() {
  Names needed;
  for (const auto& output : graph().output()) needed.insert(output.name());
  std::vector<bool> keep(static_cast<std::size_t>(graph().node_size()), false);
  for (int i = graph().node_size(); i-- > 0;) {
    if (!any_in(outputs_of(graph().node(i)), needed)) continue;
    keep[static_cast<std::size_t>(i)] = true;
    for (const std::string& value : reads_of(graph().node(i))) needed.insert(value);
  }
  auto& nodes = *graph().mutable_node();
  int next = 0;
  for (int i = 0; i < nodes.size(); ++i) {
    if (keep[static_cast<std::size_t>(i)]) nodes.SwapElements(i, next++);
  }
  nodes.DeleteSubrange(next, nodes.size() - next);
}

AdjointGraph Sweep::finish(const std::vector<std::string>& weights) {
  const auto finish_one = [&](const std::string& value, WeightAdjoint& entry) {
    entry.weight = value;
    const auto stopped = stopped_.find(value);
    if (stopped != stopped_.end()) {
      entry.stop = stopped->second;
      return;
    }
    const std::string dense = collected(value);
    if (!dense.empty()) entry.dense = as_output(dense, "weight", onnx::TensorProto::FLOAT);
  };
  for (const std::string& input : border_.inputs) finish_one(input, result_.inputs.emplace_back());
  for (const std::string& weight : weights) {
    WeightAdjoint& entry = result_.weights.emplace_back();
    finish_one(weight, entry);
    if (!entry.stop.empty()) continue;
    for (const GatheredAdjoint& part : gathered_[weight]) {
      const int type = onnx_dtype(b_.facts(part.indices).dtype);
      entry.gathered.push_back(
          {as_output(part.adjoint, "rows", onnx::TensorProto::FLOAT), as_output(part.indices, "indices", type)});
    }
  }
  prune();
  return std::move(result_);
}

}  // namespace

AdjointGraph build(const onnx::ModelProto& forward, const FactsMap& facts, const std::vector<std::string>& weights,
                   const std::vector<Head>& heads, std::int64_t probes, const Border& border) {
  Sweep sweep(forward, facts, weights, probes, border);
  for (const Head& head : heads) sweep.inject(head);
  sweep.run();
  return sweep.finish(weights);
}

}  // namespace mpq::graph::adjoint
