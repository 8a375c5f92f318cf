#include "written_warnings.h"

#include <algorithm>
#include <set>
#include <string>

#include "support/processor.h"
#include "support/text.h"

namespace mpq {

void warn_if_slower(const LatencyCheck& check, const std::string& compute, Observer& observer) {
  if (!check.is_slower()) return;
  observer.warn(
      "The written model takes " + format_number(check.ratio()) + " times as long as the original for one run.",
      compute == "float" ? "" : "--compute float keeps the original's arithmetic.");
}

void warn_if_overflowing(const QuantizedModel& written, Observer& observer) {
  if (!overflows_int8_products(cpu_fact("flags"))) return;
  std::set<std::string> integer;
  for (const WrittenLayer& layer : written.layers()) {
    if (layer.run_form.starts_with("int8 kernel")) integer.insert(layer.layer);
  }
  const auto& entries = written.plan().entries;
  const auto count = std::count_if(entries.begin(), entries.end(), [&](const PlanEntry& entry) {
    const bool wide = entry.candidate.widest() == 8 || entry.candidate.is_trellis();
    return wide && integer.count(entry.layer) > 0;
  });
  if (count == 0) return;
  observer.warn(
      "This processor (x86 without VNNI) adds int8 products in pairs of 16 bits, which overflow for weights of 8 "
      "bits; " +
          std::to_string(count) + " layers on int8 kernels have such weights.",
      "--portable keeps stored weights within 7 bits.");
}

void warn_of_missing_ranges(const Model& model, const QuantizedModel& written, Observer& observer) {
  std::set<std::string> convolutions;
  for (const Layer& layer : model.layers()) {
    if (layer.op == "Conv") convolutions.insert(layer.name);
  }
  const auto count = std::count_if(written.layers().begin(), written.layers().end(), [&](const WrittenLayer& layer) {
    return convolutions.count(layer.layer) > 0 && layer.run_form.starts_with("folded to float");
  });
  if (count == 0) return;
  observer.warn("Integer kernels of convolutions need the ranges of their activations, which real samples tell; " +
                    std::to_string(count) + (count == 1 ? " runs" : " run") + " on floats.",
                "--calibration takes real inputs.");
}

}  // namespace mpq
