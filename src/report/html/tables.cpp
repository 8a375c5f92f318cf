#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "report/html/svg.h"
#include "report/html/view.h"
#include "report/markup.h"
#include "report/numbers.h"
#include "report/sections.h"
#include "support/text.h"

namespace mpq::report::html {
namespace {

std::string number_cell(const std::string& shown, double value, const char* css = "") {
  return fmt::format("<td{} data-v=\"{:.10g}\">{}</td>", css, value, shown);
}

std::string head(const char* title, const char* css = "") { return fmt::format("<th{}>{}</th>", css, title); }

std::string layer_cells(const View& view, const LayerRow& row, std::size_t depth) {
  const Layer* layer = row.scores != nullptr ? &row.scores->layer : nullptr;
  const std::int64_t parameters = layer != nullptr ? layer->parameters : row.entry->parameters;
  std::string text = number_cell(std::to_string(depth + 1), static_cast<double>(depth + 1));
  text += fmt::format("<td class=\"l name\">{}</td>", markup_text(row.name));
  text += fmt::format("<td class=\"l opt\">{}</td><td class=\"l opt\">{}</td>",
                      layer != nullptr ? markup_text(layer->op) : "", layer != nullptr ? shape_text(layer->shape) : "");
  text += number_cell(short_count(parameters), static_cast<double>(parameters), " class=\"opt\"");
  text += number_cell(with_error(row.weight(), row.standard_error()), row.weight());
  if (view.shown == nullptr) return text;
  if (row.entry == nullptr) return text + "<td></td><td></td><td></td><td></td>";
  const PlanEntry& entry = *row.entry;
  const bool known = row.scores != nullptr && !row.scores->candidates.empty();
  const std::int64_t before = known ? row.scores->candidates.back().stored_bytes : 0;
  const bool asked = !entry.reason.empty() && entry.reason != "allocated";
  text += fmt::format("<td class=\"l form\" data-v=\"{}\"><span class=\"key {}\"></span>{}{}</td>",
                      entry.candidate.bits, bits_class(entry.candidate.bits), to_string(entry.candidate),
                      asked ? fmt::format("<abbr title=\"{}\">*</abbr>", markup_text(entry.reason)) : "");
  text += number_cell(known ? format_count(before) : "", static_cast<double>(before), " class=\"opt\"");
  text += number_cell(format_count(entry.stored_bytes), static_cast<double>(entry.stored_bytes), " class=\"after\"");
  const double share = view.shown->predicted_damage > 0 ? entry.damage / view.shown->predicted_damage : 0;
  return text + number_cell(view.shown->predicted_damage > 0 ? percent(share) : "", share, " class=\"share\"");
}

std::string optional_cell(const std::optional<double>& value, const std::string& shown) {
  return value ? number_cell(shown, *value) : "<td></td>";
}

}  // namespace

std::string layer_table(const View& view) {
  if (view.ranked.empty()) return "";
  auto depth = depths(view);
  std::string body =
      "<div class=\"tools js\" hidden><input type=\"search\" id=\"search\" placeholder=\"Search layers, "
      "operators, forms\" aria-label=\"Search layers\"> <span id=\"found\" aria-live=\"polite\"></span>"
      "</div>\n<div class=\"scroll\"><table id=\"layers\" class=\"sortable\">\n<thead><tr>";
  body += head("depth") + head("layer", " class=\"l\"") + head("op", " class=\"l opt\"") +
          head("shape", " class=\"l opt\"") + head("parameters", " class=\"opt\"") +
          head(view.scores != nullptr ? "sensitivity" : "damage");
  if (view.shown != nullptr)
    body += head("form", " class=\"l\"") + head("before", " class=\"opt\"") + head("bytes") + head("share");
  body += "</tr></thead>\n<tbody>\n";
  for (const LayerRow& row : view.ranked) {
    const std::size_t i = depth[row.name];
    body += fmt::format("<tr data-i=\"{}\">{}</tr>\n", i, layer_cells(view, row, i));
  }
  return card(
      "layers-card", "Every layer",
      view.plan != nullptr ? "Most sensitive first. Share is the layer's part of the predicted damage; a star "
                             "marks a form that was asked for."
      : view.shown != nullptr
          ? "Most sensitive first; forms, bytes and shares of the predicted damage are those of the chosen point."
          : "Most sensitive first.",
      body + "</tbody></table></div>\n");
}

std::string output_table(const View& view) {
  if (!view.record.verification || view.record.verification->outputs.empty()) return "";
  std::string body = "<div class=\"scroll\"><table class=\"sortable\"><thead><tr>" + head("output", " class=\"l\"") +
                     head("kind", " class=\"l\"") + head("SQNR dB") + head("relative MSE") + head("cosine") +
                     head("largest difference") + head("KL nats") + head("top-1 same") +
                     head("95 % interval", " class=\"l\"") + "</tr></thead>\n<tbody>\n";
  for (const OutputComparison& o : view.record.verification->outputs) {
    body += fmt::format("<tr><td class=\"l name\">{}</td><td class=\"l\">{}</td>", markup_text(o.name),
                        markup_text(o.kind)) +
            number_cell(fmt::format("{:.1f}", o.sqnr_db), o.sqnr_db) +
            number_cell(short_number(o.relative_mse), o.relative_mse) +
            number_cell(fmt::format("{:.6f}", o.cosine), o.cosine) + number_cell(short_number(o.max_abs), o.max_abs) +
            optional_cell(o.kl, o.kl ? short_number(*o.kl) : "") +
            optional_cell(o.top1_agreement, o.top1_agreement ? fmt::format("{:.2f} %", 100 * *o.top1_agreement) : "");
    body += o.top1_low && o.top1_high
                ? fmt::format("<td class=\"l\">{:.2f} to {:.2f} %</td>", 100 * *o.top1_low, 100 * *o.top1_high)
                : "<td></td>";
    body += "</tr>\n";
  }
  return card("outputs", "Outputs",
              "Original against quantized on " + markup_text(describe(view.record.verification->data)) + ".",
              body + "</tbody></table></div>\n");
}

std::string skipped_table(const View& view) {
  if (view.scores == nullptr || view.scores->skipped.empty()) return "";
  std::string body = "<details><summary>" + counted(std::ssize(view.scores->skipped), "weight") +
                     "</summary><div class=\"scroll\"><table class=\"sortable\"><thead><tr>" +
                     head("weight", " class=\"l\"") + head("op", " class=\"l\"") + head("parameters") +
                     head("why", " class=\"l\"") + "</tr></thead>\n<tbody>\n";
  for (const Layer& layer : view.scores->skipped) {
    body += fmt::format("<tr><td class=\"l name\">{}</td><td class=\"l\">{}</td>{}<td class=\"l\">{}</td></tr>\n",
                        markup_text(layer.name), markup_text(layer.op),
                        number_cell(short_count(layer.parameters), static_cast<double>(layer.parameters)),
                        markup_text(layer.skip_reason));
  }
  return card("skipped", "Left as they are", "Weights that are not quantized, each with its reason.",
              body + "</tbody></table></div></details>\n");
}

}  // namespace mpq::report::html
