#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "mpq/text.h"
#include "mpq/weights.h"

#include "commands.h"
#include "inputs.h"
#include "json_writer.h"
#include "kernels.h"
#include "session.h"
#include "stage_options.h"
#include "text_table.h"

namespace mpq::cli {
namespace {

std::int64_t bytes_of(const Layer& layer) {
  const std::int64_t element = layer.dtype == "float64"      ? 8
                               : layer.dtype == "float32"    ? 4
                               : layer.dtype.ends_with("16") ? 2
                                                             : 1;
  return layer.parameters * element;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

/// "float32 [batch, 3, 224, 224]".
std::string type_text(const ValueInfo& value) {
  if (!value.has_rank) return fmt::format("{} of unknown rank", dtype_name(value.dtype));
  std::vector<std::string> extents;
  for (std::size_t i = 0; i < value.shape.size(); ++i) {
    const std::string symbol = i < value.symbols.size() ? printable(value.symbols[i]) : "";
    extents.push_back(value.shape[i] >= 0 ? std::to_string(value.shape[i]) : symbol.empty() ? "?" : symbol);
  }
  return fmt::format("{} [{}]", dtype_name(value.dtype), fmt::join(extents, ", "));
}

struct Totals {
  std::int64_t quantizable = 0, quantizable_parameters = 0, quantizable_bytes = 0, other_bytes = 0;
};

Totals totals_of(const Model& model) {
  Totals totals;
  for (const Layer& layer : model.layers()) {
    if (layer.quantizable()) {
      ++totals.quantizable;
      totals.quantizable_parameters += layer.parameters;
      totals.quantizable_bytes += bytes_of(layer);
    } else {
      totals.other_bytes += bytes_of(layer);
    }
  }
  return totals;
}

std::string head_text(const Model& model) {
  const ModelFacts& facts = model.facts();
  const Totals totals = totals_of(model);
  std::string text = fmt::format("Model      {}, {:L} bytes, sha256 {}\n", printable(facts.path), facts.bytes,
                                 facts.sha256.substr(0, 12));
  text += fmt::format("Format     IR {}, opset {}, producer {}\n", model.ir_version(), model.opset(),
                      model.producer().empty() ? "unknown" : printable(model.producer()));
  for (const ValueInfo& value : model.inputs())
    text += fmt::format("Input      {}: {}\n", printable(value.name), type_text(value));
  for (const ValueInfo& value : model.outputs())
    text += fmt::format("Output     {}: {}\n", printable(value.name), type_text(value));
  text += fmt::format(
      "Weights    {} of {} can be quantized:\n           {} parameters, {} bytes ({:.1f} % of the file)\n",
      totals.quantizable, model.layers().size(), totals.quantizable_parameters, totals.quantizable_bytes,
      facts.bytes > 0 ? 100.0 * static_cast<double>(totals.quantizable_bytes) / static_cast<double>(facts.bytes) : 0.0);
  for (const std::string& part : model.quantized_parts()) text += fmt::format("Quantized  {}\n", printable(part));
  return text;
}

std::string layer_text(const Model& model, std::size_t width) {
  if (model.layers().empty()) return "No weights were found.\n";
  std::vector<std::vector<std::string>> rows = {
      {"layer", "op", "shape", "dtype", "parameters", "bytes", "uses", "quantizable"}};
  std::map<std::string, int> notes;  // reason -> its number, by first appearance
  std::vector<std::string> reasons;
  for (const Layer& layer : model.layers()) {
    std::string verdict = "yes";
    if (!layer.quantizable()) {
      const auto [note, fresh] = notes.emplace(layer.skip_reason, static_cast<int>(reasons.size()) + 1);
      if (fresh) reasons.push_back(layer.skip_reason);
      verdict = fmt::format("no ({})", note->second);
    }
    rows.push_back({printable(layer.graph.empty() ? layer.name : layer.graph + ": " + layer.name), printable(layer.op),
                    shape_text(layer.shape), layer.dtype, std::to_string(layer.parameters),
                    std::to_string(bytes_of(layer)), std::to_string(layer.uses.size()), verdict});
  }
  std::string text = text_table(rows, 0, {4, 5, 6}, width, {6, 3, 4});
  for (std::size_t i = 0; i < reasons.size(); ++i) text += fmt::format("({}) {}\n", i + 1, printable(reasons[i]));
  return text;
}

void write_value(JsonWriter& json, const ValueInfo& value) {
  json.begin_object().key("name").value(value.name).key("dtype").value(dtype_name(value.dtype)).key("shape");
  if (!value.has_rank) {
    json.null().end_object();
    return;
  }
  json.begin_array();
  for (std::size_t i = 0; i < value.shape.size(); ++i) {
    if (value.shape[i] >= 0) {
      json.value(value.shape[i]);
    } else if (i < value.symbols.size() && !value.symbols[i].empty()) {
      json.value(value.symbols[i]);
    } else {
      json.null();
    }
  }
  json.end_array().end_object();
}

void write_layer(JsonWriter& json, const Layer& layer) {
  json.begin_object().key("name").value(layer.name).key("op").value(layer.op).key("weight").value(layer.weight);
  json.key("graph").value(layer.graph).key("dtype").value(layer.dtype).key("shape").begin_array();
  for (const std::int64_t extent : layer.shape) json.value(extent);
  json.end_array().key("parameters").value(layer.parameters).key("bytes").value(bytes_of(layer));
  json.key("quantizable").value(layer.quantizable()).key("reason").value(layer.skip_reason).key("uses").begin_array();
  for (const WeightUse& use : layer.uses) {
    json.begin_object().key("node").value(use.node).key("op").value(use.op);
    json.key("input").value(std::int64_t{use.input}).key("graph").value(use.graph).end_object();
  }
  json.end_array().end_object();
}

/// What the model's metadata tells of its plan.
void write_plan(JsonWriter& json, const Plan& plan) {
  json.key("plan").begin_object().key("budget").value(plan.budget).key("layers").begin_array();
  for (const PlanEntry& entry : plan.entries) {
    json.begin_object().key("layer").value(entry.layer).key("candidate").value(to_string(entry.candidate)).end_object();
  }
  json.end_array().end_object();
}

std::string inspect_json(const Model& model, const std::optional<KernelComparison>& kernels) {
  const Totals totals = totals_of(model);
  JsonWriter json;
  json.begin_object().key("schema_version").value(std::int64_t{1}).key("mpq_version").value(version());
  json.key("model").begin_object().key("path").value(model.facts().path).key("sha256").value(model.facts().sha256);
  json.key("bytes").value(model.facts().bytes).end_object();
  json.key("ir_version")
      .value(model.ir_version())
      .key("opset")
      .value(model.opset())
      .key("producer")
      .value(model.producer());
  json.key("inputs").begin_array();
  for (const ValueInfo& value : model.inputs()) write_value(json, value);
  json.end_array().key("outputs").begin_array();
  for (const ValueInfo& value : model.outputs()) write_value(json, value);
  json.end_array().key("quantizable_layers").value(totals.quantizable);
  json.key("quantizable_parameters")
      .value(totals.quantizable_parameters)
      .key("quantizable_bytes")
      .value(totals.quantizable_bytes);
  json.key("layers").begin_array();
  for (const Layer& layer : model.layers()) write_layer(json, layer);
  json.end_array().key("quantized_parts").begin_array();
  for (const std::string& part : model.quantized_parts()) json.value(part);
  json.end_array().key("findings").begin_array();
  for (const Finding& finding : model.findings()) {
    json.begin_object().key("what").value(finding.what).key("cure").value(finding.cure).end_object();
  }
  json.end_array();
  if (const auto plan = embedded_plan(model)) write_plan(json, *plan);
  if (kernels) write_kernels(json, *kernels);
  return json.end_object().text();
}

}  // namespace

int run_inspect(const Settings& settings, Console& console) {
  const Model model =
      settings.requantize ? load_original(settings, console) : load_model(settings.positionals[0], console);
  if (memory_limit_in_force(model, memory_limit(settings)) > 0 && settings.kernels) {
    throw Error(ErrorCode::kUsage,
                "Which kernels a model gets is seen with all of it in memory, which the limit forbids.", "--kernels",
                "Leave it out, or give a larger --memory-limit.");
  }
  if (!settings.kernels && !settings.float_model.empty()) {
    throw Error(ErrorCode::kUsage, "--float compares kernels, which were not asked for.", "--float", "Add --kernels.");
  }
  if (!settings.dump_weights.empty()) {
    const std::size_t count = dump_weights(model, settings.dump_weights, settings.force);
    console.note(fmt::format("{} weights written to {}", count, settings.dump_weights));
  }
  std::optional<KernelComparison> kernels;
  if (settings.kernels) kernels = measure_kernels(model, settings, console);
  if (settings.json) {
    console.result(inspect_json(model, kernels));
    return 0;
  }
  std::string text = head_text(model) + '\n' + layer_text(model, static_cast<std::size_t>(console.width()));
  if (const auto plan = embedded_plan(model)) {
    text += "\nWritten by mpq:\n\n" + render(*plan, terminal_report(settings, console));
  }
  if (kernels) text += '\n' + kernel_text(*kernels, static_cast<std::size_t>(console.width()));
  console.result(text);
  return 0;
}

}  // namespace mpq::cli
