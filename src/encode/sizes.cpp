#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "mpq/error.h"

#include "encode/encode.h"
#include "encode/function_body.h"
#include "encode/metadata.h"
#include "encode/model_writer.h"
#include "encode/plan_check.h"
#include "encode/quantized_model.h"

// A file is a protobuf message: it weighs the sum of its parts, but for the lengths that stand before the nested ones,
// which grow with what they hold. The table leaves those out and bounds them once.

namespace mpq::encode {

namespace {

std::int64_t varint_bytes(std::uint64_t value) {
  std::int64_t bytes = 1;
  for (; value >= 128; value >>= 7) ++bytes;
  return bytes;
}

/// A field of a message: tag (all fields met here have numbers below 16, or below 2048), length, content.
std::int64_t field_bytes(std::int64_t content, std::int64_t tag_bytes = 1) {
  return tag_bytes + varint_bytes(static_cast<std::uint64_t>(content)) + content;
}

std::int64_t message_bytes(const google::protobuf::MessageLite& message) {
  return field_bytes(static_cast<std::int64_t>(message.ByteSizeLong()));
}

std::int64_t tensor_bytes(const TensorPlan& plan) {
  onnx::TensorProto tensor;
  tensor.set_name(plan.name);
  tensor.set_data_type(plan.type);
  for (const std::int64_t extent : plan.dims) tensor.add_dims(extent);
  return field_bytes(static_cast<std::int64_t>(tensor.ByteSizeLong()) + field_bytes(plan.bytes));
}

std::int64_t parts_bytes(const ModelWriter::Parts& parts) {
  std::int64_t bytes = message_bytes(parts.node);
  // Its first input is what the node in front gives now, in the place of this one's output.
  if (parts.behind) bytes += message_bytes(*parts.behind) + field_bytes(parts.behind->input(0).size());
  for (const TensorPlan& tensor : parts.tensors) bytes += tensor_bytes(tensor);
  return bytes;
}

/// Bytes of every function some candidate may need.
class FunctionSizes {
 public:
  explicit FunctionSizes(std::int64_t opset) : opset_(opset) {}

  /// Returns the function's name.
  std::string add(const StorageForm& form) {
    std::string name = form.function_name();
    if (bytes_.count(name) == 0) {
      const auto content = static_cast<std::int64_t>(unpack_function(form, opset_).ByteSizeLong());
      bytes_[name] = field_bytes(content, 2);
    }
    return name;
  }
  std::vector<FunctionSize> all() const {
    std::vector<FunctionSize> result;
    for (const auto& [name, bytes] : bytes_) result.push_back({name, bytes});
    return result;
  }

 private:
  std::int64_t opset_;
  std::map<std::string, std::int64_t> bytes_;
};

/// Most that the lengths of the graphs can differ from those the table was made with: four bytes each for the graph,
/// and for every subgraph also for the attribute and the node around it.
std::int64_t length_slack(const Model::Impl& impl) {
  std::set<std::string> graphs;
  for (const WeightSite& site : impl.sites) {
    for (std::size_t end = 0; end != std::string::npos && !site.graph.empty();) {
      end = site.graph.find('/', end + 1);
      graphs.insert(site.graph.substr(0, end));
    }
  }
  constexpr std::int64_t kMainGraph = 4, kSubgraph = 12;
  return kMainGraph + kSubgraph * static_cast<std::int64_t>(graphs.size());
}

/// Most that a file with external data has more than the parts: for each of its tensors the entries that say where it
/// lies, and what aligns it. Nothing where the file may be small enough to hold its data itself.
std::int64_t external_slack(const Model::Impl& impl, const SizeTable& table) {
  constexpr std::int64_t kPerTensor = 160, kTensorsPerLayer = 6;
  std::int64_t least = table.facts.base_bytes;
  for (const auto& candidates : table.file_bytes) least += *std::min_element(candidates.begin(), candidates.end());
  if (least <= (impl.had_external_data ? kMostInsideBytes : std::numeric_limits<std::int32_t>::max())) return 0;
  return kPerTensor * (impl.proto.graph().initializer_size() +
                       kTensorsPerLayer * static_cast<std::int64_t>(table.file_bytes.size()));
}

/// Functions that candidates of several layers share beside their own.
std::int64_t shared_function_bytes(const std::vector<IntegerSite>& sites, std::int64_t opset) {
  if (std::ranges::none_of(sites, &IntegerSite::lookup)) return 0;
  std::int64_t bytes = 0;
  for (const bool blocks : {false, true}) {
    bytes += field_bytes(static_cast<std::int64_t>(scale_rows_function(blocks, opset).ByteSizeLong()), 2);
  }
  return bytes;
}

std::int64_t import_bytes() {
  onnx::OperatorSetIdProto import;
  import.set_domain(kFunctionDomain);
  import.set_version(1);
  return message_bytes(import);
}

}  // namespace

SizeTable size_table(const Model& model, const std::vector<std::vector<Candidate>>& candidates, RunForm run_form,
                     bool portable) {
  const Model::Impl& impl = model.impl();
  const std::vector<std::size_t> layers = quantizable_layers(model);
  if (candidates.size() != layers.size()) {
    throw Error(ErrorCode::kInternal, "The size table needs candidates for each of the " +
                                          std::to_string(layers.size()) + " quantizable layers, not for " +
                                          std::to_string(candidates.size()) + ".");
  }
  const std::vector<IntegerSite> sites = run_form == RunForm::kInteger ? integer_sites(model) : float_sites(model);
  ModelWriter writer(model);
  FunctionSizes functions(impl.opset);
  std::set<std::string> headings;
  std::vector<std::string> layer_names;

  SizeTable table;
  std::int64_t remaining = writer.skeleton_bytes();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::size_t layer = layers[i];
    const Layer& described = impl.layers[layer];
    layer_names.push_back(described.name);
    table.facts.quantizable_parameters += described.parameters;
    writer.remove_weight(layer);
    const std::int64_t without = writer.skeleton_bytes();
    auto& bytes = table.file_bytes.emplace_back();
    auto& needed = table.functions.emplace_back();
    for (const Candidate& candidate : candidates[i]) {
      headings.insert(to_string(candidate));
      std::string& function = needed.emplace_back();
      if (leaves_unchanged(described, candidate)) {
        bytes.push_back(remaining - without);
      } else if (candidate.form == "half") {
        bytes.push_back(parts_bytes(writer.half_parts(layer)));
      } else {
        const StorageForm form = storage_form(described, candidate, {impl.opset, portable}, sites[layer]);
        function = functions.add(form);
        bytes.push_back(parts_bytes(writer.grid_parts(layer, form, 1)));
      }
    }
    remaining = without;
  }
  table.facts.base_bytes = remaining;
  table.facts.functions = functions.all();
  table.facts.fixed_bytes = import_bytes() + length_slack(impl) + external_slack(impl, table) +
                            shared_function_bytes(sites, impl.opset) +
                            plan_entry_bound(layer_names, {headings.begin(), headings.end()});
  return table;
}

}  // namespace mpq::encode
