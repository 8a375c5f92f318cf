#include "encode/model_writer.h"

#include <algorithm>
#include <cstdlib>

#include "mpq/error.h"

#include "encode/function_body.h"
#include "encode/integer_site.h"
#include "encode/metadata.h"
#include "encode/payload.h"
#include "graph/cut.h"
#include "graph/replace_numbers.h"

namespace mpq::encode {

namespace {

constexpr std::int64_t kIrWithFunctions = 8;
constexpr std::int64_t kIrWithInt4 = 10;

/// Zeros that take no memory until somebody reads them.
std::shared_ptr<const void> zeros(std::size_t size) {
  void* memory = std::calloc(size, 1);
  if (memory == nullptr) throw std::bad_alloc();
  return {memory, [](void* pointer) { std::free(pointer); }};
}

/// The numbers of the tensors of grid_parts, in the same order.
std::vector<Bytes> grid_bytes(const Layer& layer, const quant::QuantizedTensor& numbers, const StorageForm& form) {
  std::vector<Bytes> bytes;
  for (const StorageForm::RowClass& alike : form.row_classes) bytes.push_back(packed_bytes(numbers, alike));
  if (!form.has_row_widths()) bytes.push_back(packed_bytes(layer, numbers, form));
  bytes.push_back(scale_bytes(numbers, form));
  if (form.trellis) bytes.push_back(entries_bytes(numbers));
  if (form.has_row_widths()) bytes.push_back(rows_bytes(numbers, form));
  return bytes;
}

}  // namespace

ModelWriter::ModelWriter(const Model& model, bool to_disk)
    : impl_(model.impl()),
      proto_(impl_.proto),
      store_(std::make_shared<graph::TensorStore>(*impl_.store)),
      pool_(graph::all_value_names(impl_.proto)),
      static_writer_(proto_, pool_, impl_.opset),
      disk_(to_disk ? std::make_unique<SpillFile>() : nullptr) {
  for (const graph::NestedGraph& nested : graph::nested_graphs(proto_)) {
    for (const std::string& name : graph::defined_names(*nested.graph)) ++definitions_[name];
    if (nested.path.empty()) continue;
    for (const auto& output : nested.graph->output()) body_outputs_.insert(output.name());
  }
}

/// The weight keeps its name wherever it can. A weight of a subgraph moves to the main graph, where its name must mean
/// nothing else; and a subgraph cannot return a value of the graph around it.
std::string ModelWriter::weight_name(std::size_t layer) {
  const WeightSite& site = impl_.sites[layer];
  if (site.graph.empty()) return site.tensor;
  if (definitions_[site.tensor] == 1 && body_outputs_.count(site.tensor) == 0) return site.tensor;
  return pool_.take(site.tensor);
}

const ModelWriter::Names& ModelWriter::names(std::size_t layer) {
  const auto found = names_.find(layer);
  if (found != names_.end()) return found->second;
  const std::string stem = "w" + std::to_string(layer);  // short: small models have many weights
  Names taken{weight_name(layer),      pool_.take(stem + ".q"), pool_.take(stem + ".s"), pool_.take(stem + ".e"),
              pool_.take(stem + ".h"), pool_.take(stem + ".b"), pool_.take(stem + ".r"), {}};
  for (int width = 2; width <= 8; ++width) taken.packed_rows[width] = pool_.take(stem + ".q" + std::to_string(width));
  return names_[layer] = std::move(taken);
}

ModelWriter::Parts ModelWriter::grid_parts(std::size_t layer, const StorageForm& form, float unit) {
  const Layer& described = impl_.layers[layer];
  const Names& name = names(layer);
  Parts parts;
  for (const StorageForm::RowClass& alike : form.row_classes) {
    parts.tensors.push_back(packed_plan(described, form, alike, name.packed_rows.at(alike.bits)));
  }
  if (!form.has_row_widths()) parts.tensors.push_back(packed_plan(described, form, name.packed));
  parts.tensors.push_back(scales_plan(described, form, name.scales));
  if (form.trellis) parts.tensors.push_back(entries_plan(form, name.entries));
  if (form.has_row_widths()) parts.tensors.push_back(rows_plan(form, name.rows));
  std::vector<std::string> inputs;
  for (const TensorPlan& tensor : parts.tensors) inputs.push_back(tensor.name);
  parts.node = unpack_node(described, form, impl_.opset, unit, inputs, name.weight);
  if (form.run == StorageForm::Run::kLookup) {
    constexpr const char* kLongName = "a_1000000";  // the name it gets is taken when it is written
    const onnx::NodeProto& lookup = lookup_of(*proto_.mutable_graph(), name.weight);
    parts.behind = scale_rows_node(lookup, kLongName, name.scales, unit, blocks_of_row(described, form), impl_.opset);
  }
  return parts;
}

ModelWriter::Parts ModelWriter::half_parts(std::size_t layer) {
  const Names& name = names(layer);
  Parts parts{{half_plan(impl_.layers[layer], name.half)}, {}};
  parts.node.set_op_type("Cast");
  parts.node.add_input(name.half);
  parts.node.add_output(name.weight);
  *parts.node.add_attribute() = int_attribute("to", element_type(impl_.layers[layer].dtype));
  return parts;
}

void ModelWriter::remove_weight(std::size_t layer) {
  graph::hoist_weight(proto_, impl_.sites[layer], names(layer).weight);
}

void ModelWriter::add_tensor(const TensorPlan& plan, const Bytes* bytes) {
  const auto size = static_cast<std::size_t>(plan.bytes);
  if (bytes != nullptr && bytes->size() != size) {
    throw Error(
        ErrorCode::kInternal,
        "The tensor has " + std::to_string(bytes->size()) + " bytes where " + std::to_string(size) + " were planned.",
        plan.name);
  }
  onnx::TensorProto& tensor = *proto_.mutable_graph()->add_initializer();
  tensor.set_name(plan.name);
  tensor.set_data_type(plan.type);
  for (const std::int64_t extent : plan.dims) tensor.add_dims(extent);
  if (size < graph::kStoreThresholdBytes) {
    tensor.set_raw_data(bytes != nullptr ? std::string(reinterpret_cast<const char*>(bytes->data()), size)
                                         : std::string(size, '\0'));
    return;
  }
  if (bytes != nullptr && disk_) {
    const auto kept = disk_->keep(*bytes);
    graph::point_to_store(tensor, store_->add_mapped(kept->bytes(), kept), size);
    return;
  }
  std::shared_ptr<const void> owner;
  const std::byte* data = nullptr;
  if (bytes != nullptr) {
    auto kept = std::make_shared<const Bytes>(*bytes);
    data = kept->data();
    owner = std::move(kept);
  } else {
    owner = zeros(size);
    data = static_cast<const std::byte*>(owner.get());
  }
  graph::point_to_store(tensor, store_->add({data, size}, std::move(owner)), size);
}

std::string ModelWriter::add_function(onnx::FunctionProto function) {
  const std::string stem = function.name();
  // A model that mpq wrote before has such functions already; another writer's may only share the name.
  for (int suffix = 2;; ++suffix) {
    const auto& present = proto_.functions();
    const auto same = std::find_if(present.begin(), present.end(), [&](const onnx::FunctionProto& other) {
      return other.domain() == kFunctionDomain && other.name() == function.name();
    });
    if (same == present.end()) break;
    if (same->SerializeAsString() == function.SerializeAsString()) return function.name();
    function.set_name(stem + "_" + std::to_string(suffix));
  }
  const std::string name = function.name();
  functions_[name] = std::move(function);
  return name;
}

void ModelWriter::write_grid(std::size_t layer, const StorageForm& form, const quant::QuantizedTensor* numbers) {
  Parts parts = grid_parts(layer, form, numbers != nullptr ? numbers->scale_multiplier : 1);
  parts.node.set_op_type(add_function(unpack_function(form, impl_.opset)));
  remove_weight(layer);
  if (form.transposed) clear_transposition(*proto_.mutable_graph(), names(layer).weight);
  if (numbers != nullptr) {
    const std::vector<Bytes> bytes = grid_bytes(impl_.layers[layer], *numbers, form);
    for (std::size_t i = 0; i < bytes.size(); ++i) add_tensor(parts.tensors[i], &bytes[i]);
  } else {
    for (const TensorPlan& tensor : parts.tensors) add_tensor(tensor, nullptr);
  }
  if (form.store == StorageForm::Store::kInt4 || form.run == StorageForm::Run::kInt4) uses_int4_ = true;
  nodes_.push_back(std::move(parts.node));
}

void ModelWriter::write_half(std::size_t layer, const std::vector<float>* weight) {
  Parts parts = half_parts(layer);
  remove_weight(layer);
  if (weight != nullptr) {
    const Bytes halves = half_bytes(*weight);
    add_tensor(parts.tensors[0], &halves);
  } else {
    add_tensor(parts.tensors[0], nullptr);
  }
  nodes_.push_back(std::move(parts.node));
}

void ModelWriter::replace_constant(const std::string& name, const std::vector<float>& numbers) {
  graph::replace_numbers(proto_, *store_, name, numbers);
}

std::vector<float> ModelWriter::bias_of(const graph::IntegerUnit& unit) const {
  for (const onnx::NodeProto& node : proto_.graph().node()) {
    if (node.output_size() == 0 || node.output(0) != unit.node) continue;
    if (node.input_size() < 3 || node.input(2).empty()) return {};
    return graph::read_numbers(proto_, *store_, node.input(2));
  }
  return {};
}

void ModelWriter::write_bias(std::size_t layer, const StaticForm& form, const quant::QuantizedTensor* numbers) {
  const graph::IntegerUnit& unit = form.unit_of(layer);
  const std::vector<float> bias = bias_of(unit);
  if (bias.empty()) return;
  const Names& name = names(layer);
  const float input_scale = form.grids.at(unit.reads[0].value).scale;
  const TensorPlan plan{name.bias,
                        onnx::TensorProto::INT32,
                        {static_cast<std::int64_t>(bias.size())},
                        static_cast<std::int64_t>(bias.size() * sizeof(std::int32_t))};
  if (numbers != nullptr) {
    const Bytes bytes = integer_bytes(bias_integers(bias, *numbers, input_scale));
    add_tensor(plan, &bytes);
  } else {
    add_tensor(plan, nullptr);
  }
  nodes_.push_back(static_writer_.replace_bias(unit, name.bias, name.scales,
                                               numbers != nullptr ? numbers->scale_multiplier : 1, input_scale));
}

void ModelWriter::write_activations(const StaticForm& form) { static_writer_.round_activations(form); }

void ModelWriter::write_dynamic_activations(std::size_t layer) {
  static_writer_.round_as_it_comes(names(layer).weight);
}

void ModelWriter::write_lookup(std::size_t layer, const StorageForm& form, const quant::QuantizedTensor* numbers) {
  const Names& name = names(layer);
  static_writer_.scale_rows(name.weight, name.scales, numbers != nullptr ? numbers->scale_multiplier : 1,
                            blocks_of_row(impl_.layers[layer], form));
}

std::int64_t ModelWriter::skeleton_bytes() const { return graph::serialized_size(proto_, *store_, "").model_bytes; }

/// Functions need IR 8. Below IR 4 runtimes take listed initializers for constants, from IR 4 on for inputs with a
/// default, which they cannot fold; so the listing goes when the version rises past it.
void ModelWriter::raise_ir() {
  std::int64_t needed = functions_.empty() ? graph::kFirstIrWithConstantInitializers : kIrWithFunctions;
  if (uses_int4_) needed = kIrWithInt4;
  const std::int64_t present = proto_.ir_version();
  if (present >= needed) return;
  proto_.set_ir_version(needed);
  if (present >= graph::kFirstIrWithConstantInitializers) return;
  graph::drop_inputs_with_initializers(*proto_.mutable_graph());
}

/// Nodes must stand before those that read them: all the new ones come first.
void ModelWriter::prepend_nodes() {
  auto& nodes = *proto_.mutable_graph()->mutable_node();
  const auto present = nodes.size();
  for (onnx::NodeProto& node : nodes_) *nodes.Add() = std::move(node);
  std::rotate(nodes.pointer_begin(), nodes.pointer_begin() + present, nodes.pointer_end());
}

ModelWriter::Result ModelWriter::finish(const std::string& plan_text) {
  for (onnx::FunctionProto& function : static_writer_.finish()) add_function(std::move(function));
  raise_ir();
  prepend_nodes();
  for (auto& [name, function] : functions_) *proto_.add_functions() = std::move(function);
  const auto& imports = proto_.opset_import();
  const bool imported = std::any_of(imports.begin(), imports.end(),
                                    [](const auto& import) { return import.domain() == kFunctionDomain; });
  if (!functions_.empty() && !imported) {
    onnx::OperatorSetIdProto& import = *proto_.add_opset_import();
    import.set_domain(kFunctionDomain);
    import.set_version(1);
  }
  set_plan_text(proto_, plan_text);
  return {std::move(proto_), store_};
}

}  // namespace mpq::encode
