#include <algorithm>

#include <fmt/format.h>

#include "report/layer_rows.h"
#include "report/markup.h"
#include "report/next_step.h"
#include "report/numbers.h"
#include "report/reports.h"
#include "report/sections.h"
#include "support/text.h"

namespace mpq::report {
namespace {

/// GitHub cuts job summaries at 1 MiB; a person reads far less.
constexpr std::size_t kRowsOpen = 15;

std::string row(const std::vector<std::string>& cells) { return fmt::format("| {} |\n", fmt::join(cells, " | ")); }

std::string with_error(double value, double error) {
  return error > 0 ? short_number(value) + " ± " + short_error(error) : short_number(value);
}

std::string size_cells(const RunRecord& record) {
  if (!record.output && !record.plan) return "";
  const std::int64_t after = record.output ? record.output->bytes : record.plan->file_bytes;
  std::string text = row({"file", format_bytes(record.model.bytes), format_bytes(after)});
  if (record.model.bytes > 0) {
    text.erase(text.size() - 3);
    text +=
        fmt::format(" ({:.1f} %) |\n", 100.0 * static_cast<double>(after) / static_cast<double>(record.model.bytes));
  }
  return text;
}

std::string figures(const RunRecord& record) {
  std::string rows = size_cells(record);
  if (record.plan) {
    rows += row({"bits per weight", "",
                 fmt::format("{:.3f} (budget {})", record.plan->bits_per_weight, markdown_text(record.plan->budget))});
    rows += row({"predicted damage", "", with_error(record.plan->predicted_damage, record.plan->standard_error)});
  }
  if (record.latency) rows += row({"latency", "", markdown_text(latency_text(*record.latency))});
  if (record.drop_search) rows += row({"loss", "", markdown_text(drop_text(*record.drop_search))});
  if (record.verification) {
    const Verification& v = *record.verification;
    rows += row({"measured damage", "",
                 fmt::format("{} ({})", with_error(v.damage, v.damage_standard_error), metric_text(v.metric))});
    if (v.accuracy) {
      rows += row(
          {"accuracy", fmt::format("{:.2f} %", 100 * v.accuracy->reference),
           fmt::format("{:.2f} % (McNemar p = {})", 100 * v.accuracy->quantized, short_error(v.accuracy->mcnemar_p))});
    }
  }
  return rows.empty() ? "" : "| | before | after |\n|---|---:|---:|\n" + rows + '\n';
}

std::string layer_line(std::size_t rank, const LayerRow& r, const Plan* plan) {
  const Layer* layer = r.scores != nullptr ? &r.scores->layer : nullptr;
  std::vector<std::string> cells = {
      std::to_string(rank), markdown_code(r.name), layer != nullptr ? markdown_text(layer->op) : "",
      layer != nullptr ? shape_text(layer->shape) : "", with_error(r.weight(), r.standard_error())};
  if (plan != nullptr) {
    const PlanEntry* e = r.entry;
    const bool before = e != nullptr && r.scores != nullptr && !r.scores->candidates.empty();
    cells.push_back(e != nullptr ? to_string(e->candidate) : "");
    cells.push_back(before ? format_count(r.scores->candidates.back().stored_bytes) : "");
    cells.push_back(e != nullptr ? format_count(e->stored_bytes) : "");
    cells.push_back(e != nullptr && plan->predicted_damage > 0 ? percent(e->damage / plan->predicted_damage) : "");
  }
  return row(cells);
}

std::string layer_table(const RunRecord& record, const std::vector<LayerRow>& rows) {
  if (rows.empty()) return "";
  const Plan* plan = record.plan ? &*record.plan : nullptr;
  std::string head = "| # | layer | op | shape | sensitivity |";
  std::string rule = "|---:|---|---|---|---:|";
  if (plan != nullptr) {
    head += " form | bytes before | after | share of damage |";
    rule += "---|---:|---:|---:|";
  }
  head += '\n' + rule + '\n';
  const std::size_t open = std::min(rows.size(), kRowsOpen);
  std::string text = "#### Layers, most sensitive first\n\n" + head;
  for (std::size_t i = 0; i < open; ++i) text += layer_line(i + 1, rows[i], plan);
  if (open == rows.size()) return text + '\n';
  text += fmt::format("\n<details><summary>{} less sensitive layers</summary>\n\n", rows.size() - open) + head;
  for (std::size_t i = open; i < rows.size(); ++i) text += layer_line(i + 1, rows[i], plan);
  return text + "\n</details>\n\n";
}

std::string output_table(const Verification& v) {
  if (v.outputs.empty()) return "";
  std::string text =
      "| output | kind | SQNR dB | relative MSE | cosine | KL nats | top-1 same | 95 % interval |\n"
      "|---|---|---:|---:|---:|---:|---:|---|\n";
  for (const OutputComparison& o : v.outputs) {
    const bool interval = o.top1_low && o.top1_high;
    text += row({markdown_code(o.name), markdown_text(o.kind), fmt::format("{:.1f}", o.sqnr_db),
                 short_number(o.relative_mse), fmt::format("{:.6f}", o.cosine), o.kl ? short_number(*o.kl) : "",
                 o.top1_agreement ? fmt::format("{:.2f} %", 100 * *o.top1_agreement) : "",
                 interval ? fmt::format("{:.2f} to {:.2f} %", 100 * *o.top1_low, 100 * *o.top1_high) : ""});
  }
  return "#### Outputs\n\nOn " + markdown_text(describe(v.data)) + ".\n\n" + text + '\n';
}

std::string skipped_list(const std::vector<Layer>& skipped) {
  if (skipped.empty()) return "";
  std::string text =
      fmt::format("<details><summary>{} left as they are</summary>\n\n| weight | op | why |\n|---|---|---|\n",
                  counted(std::ssize(skipped), "weight"));
  for (const Layer& layer : skipped)
    text += row({markdown_code(layer.name), markdown_text(layer.op), markdown_text(layer.skip_reason)});
  return text + "\n</details>\n\n";
}

std::string fenced(const std::string& command) { return "```sh\n" + command + "\n```\n"; }

}  // namespace

std::string markdown_report(const RunRecord& record) {
  std::string text =
      fmt::format("### mpq {}: {}\n\n", markdown_text(record.command), markdown_code(record.model.path)) +
      figures(record);
  const bool synthetic = (record.sensitivity && record.sensitivity->data.synthetic) ||
                         (record.verification && record.verification->data.synthetic);
  if (synthetic) text += "> **Caution:** the samples are synthetic; these figures prove little.\n\n";
  for (const std::string& warning : record.warnings) text += "> **Warning:** " + markdown_text(warning) + "\n\n";
  text += layer_table(
      record, layer_rows(record.sensitivity ? &*record.sensitivity : nullptr, record.plan ? &*record.plan : nullptr));
  if (record.verification) text += output_table(*record.verification);
  if (record.sensitivity) text += skipped_list(record.sensitivity->skipped);
  const NextStep next = next_step(record);
  return text + next.why + ":\n\n" + fenced(next.command);
}

}  // namespace mpq::report
