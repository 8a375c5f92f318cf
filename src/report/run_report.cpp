#include <algorithm>

#include <fmt/format.h>

#include "report/layer_rows.h"
#include "report/next_step.h"
#include "report/numbers.h"
#include "report/reports.h"
#include "report/sections.h"
#include "report/verification_section.h"
#include "support/text.h"

namespace mpq::report {
namespace {

std::string model_fields(const RunRecord& record, const Style& style) {
  std::string result = field("Model", describe(record.model), style);
  if (!record.output && record.plan) {
    const auto bytes = record.plan->file_bytes;
    const double share =
        record.model.bytes > 0 ? static_cast<double>(bytes) / static_cast<double>(record.model.bytes) : 0;
    return result +
           field("File", fmt::format("{} bytes when written = {:.1f} % of the model", format_count(bytes), 100 * share),
                 style);
  }
  if (!record.output) return result;
  const ModelFacts& output = *record.output;
  std::string text = fmt::format("{}, {}", printable(output.path), format_bytes(output.bytes));
  if (output.bytes > 0 && record.model.bytes > 0) {
    const double ratio = static_cast<double>(record.model.bytes) / static_cast<double>(output.bytes);
    text += fmt::format(" = {:.1f} % of the model", 100 / ratio);
    if (ratio > 1) text += fmt::format(", {:.2f} times smaller", ratio);
  }
  if (!output.sha256.empty()) text += ", sha256 " + printable(output.sha256.substr(0, 12));
  return result + field(record.command == "verify" ? "Compared" : "Written", text, style);
}

std::string bytes_text(const LayerRow& row, const Style& style) {
  if (row.entry == nullptr) return "-";
  const std::string after = short_count(row.entry->stored_bytes);
  if (row.scores == nullptr || row.scores->candidates.empty()) return after;
  const std::string before = short_count(row.scores->candidates.back().stored_bytes);
  return before + style.arrow() + after;
}

bool chosen_by_user(const PlanEntry& entry) { return !entry.reason.empty() && entry.reason != "allocated"; }

std::vector<Cell> row_cells(std::size_t rank, const LayerRow& row, const LogScale& scale, const Plan* plan,
                            const Style& style) {
  std::vector<Cell> cells = layer_cells(rank, row, scale, style);
  if (plan == nullptr) return cells;
  const bool has_entry = row.entry != nullptr;
  const double total = plan->predicted_damage;
  cells.push_back({has_entry ? to_string(row.entry->candidate) + (chosen_by_user(*row.entry) ? "*" : "") : "-"});
  cells.push_back({bytes_text(row, style)});
  cells.push_back({has_entry && total > 0 ? percent(row.entry->damage / total) : "-"});
  return cells;
}

std::string layer_table(const RunRecord& record, const std::vector<LayerRow>& rows, const Style& style, int top) {
  const Plan* plan = record.plan ? &*record.plan : nullptr;
  std::vector<Column> columns = layer_columns(record.sensitivity ? "sensitivity" : "damage", style);
  if (plan != nullptr) {
    columns.push_back({"form", Column::Align::kLeft});
    columns.push_back({"bytes"});
    columns.push_back({"share", Column::Align::kRight, 0, Column::Need::kUnlessTiny});
  }
  Table table(columns);
  const LogScale scale(rows);
  const std::size_t shown = shown_rows(rows.size(), top);
  for (std::size_t i = 0; i < shown; ++i) table.add(row_cells(i + 1, rows[i], scale, plan, style));
  return table.render(style) + hidden_rows_line(rows, shown, plan, style);
}

std::string override_note(const std::vector<LayerRow>& rows, const Style& style) {
  std::vector<std::string> reasons;
  for (const LayerRow& row : rows) {
    if (row.entry == nullptr || !chosen_by_user(*row.entry)) continue;
    if (std::find(reasons.begin(), reasons.end(), row.entry->reason) == reasons.end())
      reasons.push_back(row.entry->reason);
  }
  if (reasons.empty()) return "";
  return style.paint(Tone::kFaint,
                     wrap("* not the allocator's choice: " + printable(join(reasons, "; ")), 2, style.width())) +
         '\n';
}

/// How the written layers run, counted.
std::string run_forms_field(const RunRecord& record, const Style& style) {
  std::vector<std::pair<std::string, std::int64_t>> counts;
  for (const auto& [layer, form] : record.run_forms) {
    auto known = std::find_if(counts.begin(), counts.end(), [&form = form](const auto& c) { return c.first == form; });
    if (known == counts.end()) known = counts.insert(counts.end(), {form, 0});
    ++known->second;
  }
  std::vector<std::string> parts;
  for (const auto& [form, count] : counts)
    parts.push_back(fmt::format("{}: {}", printable(form), counted(count, "layer")));
  return parts.empty() ? "" : field("Runs as", join(parts, "; "), style);
}

std::string rounding_field(const RunRecord& record, const Style& style) {
  if (!record.plan || record.plan->rounding == "auto") return "";
  const std::string& rounding = record.plan->rounding;
  if (rounding == "nearest") return field("Rounding", "to nearest", style);
  if (rounding == "data-free") return field("Rounding", "data-free: errors cancel in rows and kernels", style);
  return field("Rounding", rounding + ", fitted to the calibration samples", style);
}

std::string memory_text(const RunRecord& record) {
  const std::string peak = format_bytes(record.peak_memory_bytes) + " at peak";
  if (record.memory_limit_bytes == 0) return peak;
  return peak + "; the model ran piece by piece within " + format_bytes(record.memory_limit_bytes);
}

std::string closing_fields(const RunRecord& record, const Style& style) {
  std::string result;
  if (record.cost && record.cost->forward_equivalents > 0) result += cost_field(*record.cost, style);
  double total = 0;
  std::vector<std::string> stages;
  for (const auto& [stage, seconds] : record.timings_seconds) {
    stages.push_back(stage + ' ' + duration(seconds));
    total += seconds;
  }
  if (!stages.empty()) {
    result += field("Time", duration(total) + " (" + join(stages, ", ") + ")", style);
  }
  if (record.peak_memory_bytes > 0) result += field("Memory", memory_text(record), style);
  for (const std::string& warning : record.warnings) {
    result += style.paint(Tone::kWarning, "Warning") + "    " + wrap(printable(warning), 11, style.width()) + '\n';
  }
  return result;
}

}  // namespace

std::string run_report(const RunRecord& record, const Style& style, int top) {
  std::string result = title(record.command, record.model.path, record.mpq_version, style);
  result += model_fields(record, style);
  if (record.plan) result += plan_fields(*record.plan, style);
  if (record.latency) result += field("Latency", latency_text(*record.latency), style);
  if (record.drop_search) result += field("Loss", drop_text(*record.drop_search), style);
  if (record.sensitivity) result += method_fields(*record.sensitivity, style);
  const auto rows =
      layer_rows(record.sensitivity ? &*record.sensitivity : nullptr, record.plan ? &*record.plan : nullptr);
  if (!rows.empty()) result += '\n' + layer_table(record, rows, style, top) + override_note(rows, style);
  if (record.sensitivity && !record.sensitivity->skipped.empty()) {
    result += '\n' + skipped_section(record.sensitivity->skipped, style);
  }
  if (record.verification) {
    result += '\n' + verification_section(record, style);
  } else if (record.sensitivity && record.sensitivity->data.synthetic) {
    result += '\n' + synthetic_warning(style);
  }
  const std::string closing =
      run_forms_field(record, style) + rounding_field(record, style) + closing_fields(record, style);
  if (!closing.empty()) result += '\n' + closing;
  const NextStep next = next_step(record);
  return result + '\n' + field("Next", next.why + ":", style) + "  " + style.paint(Tone::kGood, next.command) + '\n';
}

}  // namespace mpq::report
