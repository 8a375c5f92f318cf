#include "kernels.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "mpq/text.h"

#include "inputs.h"
#include "text_table.h"

namespace mpq::cli {
namespace {

std::string label_of(const LayerKernel& layer) {
  return layer.graph.empty() ? layer.node : layer.graph + ": " + layer.node;
}

std::string milliseconds(double microseconds) { return fmt::format("{:.3f}", microseconds / 1000); }

/// Times of the float model's layers by name.
std::map<std::string, double> times_of(const std::optional<KernelReport>& report) {
  std::map<std::string, double> times;
  if (report) {
    for (const LayerKernel& layer : report->layers) times[label_of(layer)] = layer.microseconds;
  }
  return times;
}

KernelReport measure(const Model& model, const Settings& settings, Console& console) {
  constexpr std::int64_t kSynthetic = 4;
  const std::optional<Samples> given = open_samples(settings.data, model, settings, console);
  KernelOptions options;
  options.threads = static_cast<int>(settings.threads.value_or(1));
  return inspect_kernels(model, given ? *given : Samples::synthetic(model, kSynthetic, 1), options);
}

std::string layer_table(const KernelComparison& kernels, std::size_t width) {
  const std::map<std::string, double> before = times_of(kernels.before);
  std::vector<std::vector<std::string>> rows = {{"layer", "op", "kernel", "weight", "ms"}};
  if (kernels.before) rows[0].insert(rows[0].end(), {"float ms", "ratio"});
  std::map<std::string, std::size_t> notes;
  std::vector<std::string> reasons;
  for (const LayerKernel& layer : kernels.model.layers) {
    std::string form = to_string(layer.form);
    if (!layer.reason.empty()) {
      const auto [note, fresh] = notes.emplace(layer.reason, reasons.size() + 1);
      if (fresh) reasons.push_back(layer.reason);
      form += fmt::format(" ({})", note->second);
    }
    rows.push_back({printable(label_of(layer)), printable(layer.op),
                    layer.kernel.empty() ? "?" : printable(layer.kernel), form, milliseconds(layer.microseconds)});
    if (!kernels.before) continue;
    const auto found = before.find(label_of(layer));
    const bool known = found != before.end() && found->second > 0;
    rows.back().push_back(known ? milliseconds(found->second) : "-");
    rows.back().push_back(known ? fmt::format("{:.2f}", layer.microseconds / found->second) : "-");
  }
  std::string text = text_table(rows, 0, {4, 5, 6}, width, {1});
  for (std::size_t i = 0; i < reasons.size(); ++i) text += fmt::format("({}) {}\n", i + 1, printable(reasons[i]));
  return text;
}

std::string operator_table(const KernelComparison& kernels, std::size_t width) {
  std::map<std::string, double> before;
  if (kernels.before) before.insert(kernels.before->operators.begin(), kernels.before->operators.end());
  std::vector<std::vector<std::string>> rows = {{"operator that runs", "ms"}};
  if (kernels.before) rows[0].emplace_back("float ms");
  const auto add = [&](const std::string& op, double now) {
    rows.push_back({printable(op), milliseconds(now)});
    if (!kernels.before) return;
    const auto found = before.find(op);
    rows.back().push_back(found == before.end() ? "-" : milliseconds(found->second));
    if (found != before.end()) before.erase(found);
  };
  for (const auto& [op, time] : kernels.model.operators) add(op, time);
  const std::map<std::string, double> gone = before;
  for (const auto& [op, time] : gone) add(op, 0);
  rows.push_back({"all", milliseconds(kernels.model.microseconds)});
  if (kernels.before) rows.back().push_back(milliseconds(kernels.before->microseconds));
  return text_table(rows, 0, {1, 2}, width);
}

void write_report(JsonWriter& json, const KernelReport& report) {
  json.begin_object().key("onnxruntime").value(report.runtime).key("threads").value(std::int64_t{report.threads});
  json.key("microseconds").value(report.microseconds).key("layers").begin_array();
  for (const LayerKernel& layer : report.layers) {
    json.begin_object().key("node").value(layer.node).key("graph").value(layer.graph).key("op").value(layer.op);
    json.key("quantized").value(layer.quantized).key("form").value(to_string(layer.form));
    json.key("kernel").value(layer.kernel).key("reason").value(layer.reason);
    json.key("microseconds").value(layer.microseconds).end_object();
  }
  json.end_array().key("operators").begin_array();
  for (const auto& [op, time] : report.operators) {
    json.begin_object().key("op").value(op).key("microseconds").value(time).end_object();
  }
  json.end_array().end_object();
}

}  // namespace

KernelComparison measure_kernels(const Model& model, const Settings& settings, Console& console) {
  KernelComparison kernels;
  kernels.model = measure(model, settings, console);
  if (!settings.float_model.empty()) {
    kernels.before = measure(load_model(settings.float_model, console), settings, console);
  }
  return kernels;
}

std::string kernel_text(const KernelComparison& kernels, std::size_t width) {
  std::string text =
      fmt::format("Kernels of ONNX Runtime {}, {} thread{}, from its optimized graph and its profile:\n\n",
                  kernels.model.runtime, kernels.model.threads, kernels.model.threads == 1 ? "" : "s");
  text += layer_table(kernels, width) + '\n';
  return text + operator_table(kernels, width);
}

void write_kernels(JsonWriter& json, const KernelComparison& kernels) {
  json.key("kernels");
  write_report(json, kernels.model);
  if (!kernels.before) return;
  json.key("float_kernels");
  write_report(json, *kernels.before);
}

}  // namespace mpq::cli
