#include "graph/layers.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "graph/layers_trace.h"
#include "graph/types.h"
#include "graph/values.h"
#include "graph/weight_roles.h"
#include "graph/wording.h"

namespace mpq::graph {
namespace {

using onnx::TensorProto;

struct Found {
  Layer layer;
  WeightSite site;
  std::size_t order = std::numeric_limits<std::size_t>::max();  ///< of the first use
  Read first{-1, -1, -1};                                       ///< the first use; node -1 when nothing reads it
};

bool is_float(int type) {
  return type == TensorProto::FLOAT || type == TensorProto::FLOAT16 || type == TensorProto::BFLOAT16 ||
         type == TensorProto::DOUBLE;
}

class Finder {
 public:
  explicit Finder(const onnx::ModelProto& model)
      : model_(model),
        table_(model, listed_initializers_are_constants(model)),
        functions_(model),
        order_(table_.graphs()) {
    for (const auto& nested : table_.graphs()) labels_.push_back(node_labels(*nested.graph));
  }

  std::vector<Found> run() {
    for (std::size_t i = 0; i < table_.values().size(); ++i) consider(static_cast<int>(i));
    for (const auto& function : model_.functions()) consider_function(function);
    std::stable_sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) {
      return std::tie(a.order, a.first.input) < std::tie(b.order, b.first.input);
    });
    give_names();
    return std::move(found_);
  }

 private:
  void consider(int index);
  void consider_sparse(const Value& value);
  void consider_function(const onnx::FunctionProto& function);
  void add(const Value& value, const TensorProto& tensor, const WeightTrace& trace, std::string reason);
  std::string reason_against(const Value& value, const TensorProto& tensor, const WeightTrace& trace) const;
  std::string reader(const Read& read) const;
  void give_names();
  void add_uses(Found& found, std::vector<Read> reads) const;

  std::size_t order_of(const Read& read) const { return order_.number(read.graph, read.node); }
  const NestedGraph& graph_of(int graph) const { return table_.graphs()[static_cast<std::size_t>(graph)]; }

  const onnx::ModelProto& model_;
  ValueTable table_;
  FunctionWeights functions_;
  NodeOrder order_;
  std::vector<std::vector<std::string>> labels_;  // per graph and node
  std::vector<Found> found_;
};

/// "Mul node 'scale'".
std::string Finder::reader(const Read& read) const {
  const auto& labels = labels_[static_cast<std::size_t>(read.graph)];
  return printable(table_.node(read).op_type()) + " node " + in_quotes(labels[static_cast<std::size_t>(read.node)]);
}

std::int64_t element_count_of(const TensorProto& tensor) { return safe_element_count(tensor.dims()).value_or(0); }

/// One whole sentence, or nothing when the weight can be quantized.
std::string Finder::reason_against(const Value& value, const TensorProto& tensor, const WeightTrace& trace) const {
  const std::int64_t count = element_count_of(tensor);
  if (!is_float(tensor.data_type())) {
    return "It is already quantized: " + element_type_name(tensor.data_type()) + " numbers for the " +
           reader(trace.quantized[0]) + ".";
  }
  if (value.listed_as_input && !value.constant) {
    return "It is the default value of the model's input " + in_quotes(value.name) + ", which callers may override.";
  }
  if (!trace.quantized.empty()) {
    return "It belongs to a weight that is quantized already: the " + reader(trace.quantized[0]) + " reads it.";
  }
  if (trace.uses.empty()) {
    if (!trace.others.empty()) return "It is no operator's weight: the " + reader(trace.others[0]) + " reads it.";
    return trace.reaches_output ? "It is an output and no operator's weight." : "No node reads it.";
  }
  if (value.graph_output && value.graph == 0) return "It is itself an output of the model.";
  if (tensor.dims_size() < 2) return "It is stored as one flat row, so its channels are not known.";
  if (tensor.data_type() == TensorProto::DOUBLE) {
    return "It is stored in double precision, which a model asks for only where it needs the digits.";
  }
  if (count < kFewWeights) {
    return "It has " + std::to_string(count) + " weights; under " + std::to_string(kFewWeights) +
           " the scales cost what the bits save.";
  }
  return "";
}

void Finder::consider(int index) {
  const Value& value = table_.values()[static_cast<std::size_t>(index)];
  if (value.origin == Value::Origin::kSparseInitializer) return consider_sparse(value);
  const TensorProto* tensor = table_.tensor(value);
  if (!tensor || tensor->dims_size() == 0) return;
  const std::int64_t count = element_count_of(*tensor);
  const bool floating = is_float(tensor->data_type());
  if (!floating && (tensor->dims_size() < 2 || count < kFewWeights)) return;
  const WeightTrace trace = trace_weight(table_, functions_, index, {tensor->dims().begin(), tensor->dims().end()});
  if (!floating && trace.quantized.empty()) return;                                    // an index table or the like
  if (tensor->dims_size() < 2 && (trace.uses.empty() || count < kFewWeights)) return;  // a bias or a norm's parameter
  if (trace.uses.empty() && count < kFewWeights) return;
  add(value, *tensor, trace, reason_against(value, *tensor, trace));
}

/// Widest choice of channels that is still worth a scale each: where every weight would have a scale of its own (a
/// matrix with one row, a table with one column), scales go along the other axis.
void avoid_single_weight_channels(Layer& layer) {
  std::int64_t scales = 1;
  for (const int axis : layer.channel_axes) scales *= layer.shape[static_cast<std::size_t>(axis)];
  if (scales != layer.parameters) return;
  const auto shortest = std::min_element(layer.shape.begin(), layer.shape.end());
  const auto longest = std::max_element(layer.shape.begin(), layer.shape.end());
  if (shortest == longest) return;
  layer.channel_axes = {static_cast<int>(shortest - layer.shape.begin())};
  layer.block_axis = static_cast<int>(longest - layer.shape.begin());
}

void Finder::add_uses(Found& found, std::vector<Read> reads) const {
  std::stable_sort(reads.begin(), reads.end(), [this](const Read& a, const Read& b) {
    return std::pair(order_of(a), a.input) < std::pair(order_of(b), b.input);
  });
  for (const Read& read : reads) {
    const auto& labels = labels_[static_cast<std::size_t>(read.graph)];
    found.layer.uses.push_back({labels[static_cast<std::size_t>(read.node)], table_.node(read).op_type(), read.input,
                                graph_of(read.graph).path});
  }
  if (reads.empty()) return;
  found.first = reads.front();
  found.order = order_of(reads.front());
  found.layer.op = found.layer.uses.front().op;
}

void describe(const Value& value, const std::string& path, const TensorProto& tensor, Found& found) {
  found.layer.op = "Constant";
  found.layer.weight = value.name;
  found.layer.graph = path;
  found.layer.dtype = element_type_name(tensor.data_type());
  found.layer.shape = {tensor.dims().begin(), tensor.dims().end()};
  found.layer.parameters = element_count_of(tensor);
  found.site.tensor = value.name;
  found.site.graph = path;
}

void Finder::add(const Value& value, const TensorProto& tensor, const WeightTrace& trace, std::string reason) {
  Found found;
  describe(value, graph_of(value.graph).path, tensor, found);
  found.layer.skip_reason = std::move(reason);
  found.site.storage = value.origin == Value::Origin::kInitializer ? WeightSite::Storage::kInitializer
                                                                   : WeightSite::Storage::kConstantNode;
  found.site.is_graph_input = value.listed_as_input;
  std::vector<Read> reads = trace.quantized.empty() ? trace.others : trace.quantized;
  if (!trace.uses.empty()) {
    reads.clear();
    for (const auto& use : trace.uses) reads.push_back(use.read);
  }
  add_uses(found, std::move(reads));
  found.layer.channel_axes = {0};
  // Uses may see the weight differently (an embedding that is also the transposed output matrix): any choice is valid,
  // since the stored tensor is what is dequantized; the first use that knows its blocks knows most.
  const auto by_order = [this](const auto& a, const auto& b) {
    return std::tuple(a.role.block_axis < 0, order_of(a.read)) < std::tuple(b.role.block_axis < 0, order_of(b.read));
  };
  const auto best = std::min_element(trace.uses.begin(), trace.uses.end(), by_order);
  if (best != trace.uses.end()) {
    found.layer.channel_axes = best->role.channel_axes;
    found.layer.block_axis = best->role.block_axis;
    avoid_single_weight_channels(found.layer);
  }
  found_.push_back(std::move(found));
}

void Finder::consider_sparse(const Value& value) {
  const onnx::SparseTensorProto& sparse = graph_of(value.graph).graph->sparse_initializer(value.index);
  TensorProto dense;
  dense.set_data_type(sparse.values().data_type());
  *dense.mutable_dims() = sparse.dims();
  if (!is_float(dense.data_type()) || dense.dims_size() < 2 || element_count_of(dense) < kFewWeights) return;
  WeightTrace trace;
  trace.others = value.reads;
  add(value, dense, trace, "It is stored as a sparse tensor.");
}

void Finder::consider_function(const onnx::FunctionProto& function) {
  const std::string where = function.domain() + ":" + function.name();
  for (const auto& node : function.node()) {
    const TensorProto* tensor = constant_tensor(node);
    if (!tensor || !is_float(tensor->data_type()) || tensor->dims_size() < 2) continue;
    if (element_count_of(*tensor) < kFewWeights) continue;
    Value value;
    value.name = node.output(0);
    Found found;
    describe(value, where, *tensor, found);
    found.layer.channel_axes = {0};
    found.site.storage = WeightSite::Storage::kConstantNode;
    found.layer.skip_reason = "It stands inside the model-local function " + in_quotes(function.name()) + ".";
    found_.push_back(std::move(found));
  }
}

void Finder::give_names() {
  std::map<std::pair<int, int>, int> layers_of_node;
  for (const Found& found : found_) ++layers_of_node[{found.first.graph, found.first.node}];
  NamePool names;
  for (Found& found : found_) {
    Layer& layer = found.layer;
    if (found.first.node < 0) {
      layer.name = names.take(layer.graph.empty() ? layer.weight : layer.graph + "/" + layer.weight);
      continue;
    }
    const onnx::NodeProto& node = table_.node(found.first);
    std::string name = layer.uses.front().node;
    if (layers_of_node[{found.first.graph, found.first.node}] > 1) {
      name += "." + weight_input_name(node, found.first.input);
    }
    const std::string& path = layer.uses.front().graph;
    // Bodies repeat names freely (the two branches of an If); the path tells them apart.
    if (!path.empty() && (node.name().empty() || names.taken(name))) name = path + "/" + name;
    layer.name = names.take(name);
  }
}

/// "QLinearConv x12", by name.
std::vector<std::string> count_quantized(const onnx::ModelProto& model) {
  std::map<std::string, int> counts;
  const auto count = [&](const auto& nodes) {
    for (const auto& node : nodes) {
      if (is_quantized_operator(node)) ++counts[node.op_type()];
    }
  };
  for (const auto& nested : nested_graphs(model)) count(nested.graph->node());
  for (const auto& function : model.functions()) count(function.node());
  std::vector<std::string> parts;
  for (const auto& [op, times] : counts) parts.push_back(op + " x" + std::to_string(times));
  return parts;
}

}  // namespace

void find_layers(Model::Impl& impl) {
  impl.layers.clear();
  impl.sites.clear();
  for (Found& found : Finder(impl.proto).run()) {
    impl.layers.push_back(std::move(found.layer));
    impl.sites.push_back(std::move(found.site));
  }
  impl.quantized_parts = count_quantized(impl.proto);
}

}  // namespace mpq::graph
