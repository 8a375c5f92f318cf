#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "mpq/diff.h"
#include "mpq/error.h"

#include "report/markup.h"
#include "report/numbers.h"
#include "report/sections.h"
#include "report/style.h"
#include "report/table.h"
#include "support/text.h"

namespace mpq {
namespace {

using report::Style;
using Kind = LayerChange::Kind;

const char* kind_word(Kind kind) {
  switch (kind) {
    case Kind::kAdded:
      return "added";
    case Kind::kGone:
      return "gone";
    case Kind::kChanged:
      return "changed";
    case Kind::kSame:
      break;
  }
  return "same";
}

std::string estimate_text(const FigureChange& figure, const std::optional<Estimate>& e, const char* plus_minus) {
  if (!e) return "-";
  if (figure.name == "accuracy") return fmt::format("{:.2f} %", 100 * e->value);
  if (figure.name == "bits per weight") return fmt::format("{:.3f}", e->value);
  if (!figure.estimated) return format_count(static_cast<std::int64_t>(e->value));
  if (e->standard_error <= 0) return report::short_number(e->value);
  return fmt::format("{} {}{}", report::short_number(e->value), plus_minus, report::short_error(e->standard_error));
}

/// "+3.1 %", and for measurements whether that is more than noise.
std::string change_text(const FigureChange& figure) {
  if (!figure.before || !figure.after) return figure.after ? "new" : "gone";
  const double a = figure.before->value, b = figure.after->value;
  if (a == b) return "same";
  std::string text = "from none";
  if (figure.name == "accuracy") {
    text = fmt::format("{:+.2f} points", 100 * (b - a));
  } else if (a != 0) {
    text = b / a >= 3 ? fmt::format("{:.3g} times", b / a) : fmt::format("{:+.1f} %", 100 * (b - a) / a);
  }
  if (figure.estimated)
    text += beyond_errors(*figure.before, *figure.after) ? ", beyond the errors" : ", within the errors";
  return text;
}

std::string form_text(const std::optional<Candidate>& form) { return form ? to_string(*form) : "-"; }

std::string score_text(const std::optional<Estimate>& score, const char* plus_minus) {
  if (!score) return "-";
  if (score->standard_error <= 0) return report::short_number(score->value);
  return fmt::format("{} {}{}", report::short_number(score->value), plus_minus,
                     report::short_error(score->standard_error));
}

std::string score_value(const std::optional<Estimate>& score) {
  return score ? report::short_number(score->value) : "-";
}

std::string score_change(const LayerChange& change, const Style& style) {
  const std::string before = score_value(change.before_score), after = score_value(change.after_score);
  return before == after ? after : before + style.arrow() + after;
}

std::string bytes_text(const std::optional<std::int64_t>& bytes) { return bytes ? format_count(*bytes) : "-"; }

std::string verdict(const RecordDiff& diff, const LayerChange& change) {
  if (!change.before_score || !change.after_score) return "-";
  if (!diff.same_settings) return "not comparable";
  return beyond_errors(*change.before_score, *change.after_score) ? "beyond errors" : "within errors";
}

/// The verdict in a word.
std::string differs(const RecordDiff& diff, const LayerChange& change) {
  if (!change.before_score || !change.after_score || !diff.same_settings) return "-";
  return beyond_errors(*change.before_score, *change.after_score) ? "yes" : "no";
}

std::vector<LayerChange> shown(const RecordDiff& diff) {
  std::vector<LayerChange> result;
  std::copy_if(diff.layers.begin(), diff.layers.end(), std::back_inserter(result),
               [](const LayerChange& change) { return change.kind != Kind::kSame; });
  return result;
}

std::string closing(const RecordDiff& diff) {
  const auto count = [&](Kind kind) {
    return std::count_if(diff.layers.begin(), diff.layers.end(), [&](const auto& c) { return c.kind == kind; });
  };
  std::string text =
      fmt::format("{}: {} changed, {} added, {} gone, {} the same", report::counted(std::ssize(diff.layers), "layer"),
                  count(Kind::kChanged), count(Kind::kAdded), count(Kind::kGone), count(Kind::kSame));
  if (diff.rank_correlation)
    text += fmt::format("; rank correlation of the sensitivities {:.3f}", *diff.rank_correlation);
  if (!diff.same_settings) text += ". The sensitivities were found in different ways, so scores are not compared";
  return text;
}

std::string terminal(const RecordDiff& diff, const Style& style) {
  using Align = report::Column::Align;
  std::string text = report::title("diff", diff.before.path, "", style);
  text += report::field("Before", report::describe(diff.before), style);
  text += report::field("After", report::describe(diff.after), style) + '\n';
  report::Table figures({{"figure", Align::kLeft}, {"before"}, {"after"}, {"change", Align::kLeft}});
  for (const FigureChange& f : diff.figures)
    figures.add({{f.name},
                 {estimate_text(f, f.before, style.plus_minus())},
                 {estimate_text(f, f.after, style.plus_minus())},
                 {change_text(f)}});
  text += figures.render(style);
  report::Table table({{"layer", Align::kLeft, 14},
                       {"form", Align::kLeft},
                       {"bytes", Align::kRight, 0, report::Column::Need::kUnlessTiny},
                       {"sensitivity"},
                       {"differs", Align::kLeft}});
  for (const LayerChange& c : shown(diff)) {
    table.add({{printable(c.layer)},
               {form_text(c.before_form) + style.arrow() + form_text(c.after_form)},
               {bytes_text(c.before_bytes) + style.arrow() + bytes_text(c.after_bytes)},
               {score_change(c, style)},
               {differs(diff, c)}});
  }
  if (!table.empty()) text += '\n' + table.render(style);
  return text + '\n' + report::wrap(closing(diff), 0, style.width()) + ".\n";
}

std::string markdown(const RecordDiff& diff) {
  std::string text =
      fmt::format("### mpq diff\n\n{} to {}\n\n| figure | before | after | change |\n|---|---:|---:|---|\n",
                  report::markdown_code(diff.before.path), report::markdown_code(diff.after.path));
  for (const FigureChange& f : diff.figures)
    text += fmt::format("| {} | {} | {} | {} |\n", f.name, estimate_text(f, f.before, "± "),
                        estimate_text(f, f.after, "± "), change_text(f));
  const auto changes = shown(diff);
  if (!changes.empty())
    text += "\n| layer | what | form | bytes | score before | after | |\n|---|---|---|---:|---:|---:|---|\n";
  for (const LayerChange& c : changes)
    text += fmt::format("| {} | {} | {} → {} | {} → {} | {} | {} | {} |\n", report::markdown_code(c.layer),
                        kind_word(c.kind), form_text(c.before_form), form_text(c.after_form),
                        bytes_text(c.before_bytes), bytes_text(c.after_bytes), score_text(c.before_score, "± "),
                        score_text(c.after_score, "± "), verdict(diff, c));
  return text + '\n' + closing(diff) + ".\n";
}

using Json = nlohmann::ordered_json;

Json estimate_json(const std::optional<Estimate>& e, bool whole = false) {
  if (!e || !(e->value - e->value == 0)) return nullptr;
  if (whole) return {{"value", static_cast<std::int64_t>(e->value)}, {"stderr", 0}};
  return {{"value", e->value}, {"stderr", e->standard_error}};
}

template <typename Value, typename Write>
Json or_null(const std::optional<Value>& value, const Write& write) {
  return value ? Json(write(*value)) : Json(nullptr);
}

std::string document(const RecordDiff& diff) {
  const auto facts = [](const ModelFacts& m) {
    return Json{{"path", m.path}, {"sha256", m.sha256}, {"bytes", m.bytes}};
  };
  Json json{{"schema_version", 1}, {"record", "diff"}, {"before", facts(diff.before)}, {"after", facts(diff.after)}};
  json["same_settings"] = diff.same_settings;
  json["rank_correlation"] = or_null(diff.rank_correlation, [](double value) { return value; });
  json["figures"] = Json::array();
  for (const FigureChange& f : diff.figures) {
    const bool whole = f.name.ends_with("bytes");
    Json row{{"name", f.name}, {"before", estimate_json(f.before, whole)}, {"after", estimate_json(f.after, whole)}};
    const bool judged = f.estimated && f.before && f.after;
    row["beyond_errors"] = judged ? Json(beyond_errors(*f.before, *f.after)) : Json(nullptr);
    json["figures"].push_back(std::move(row));
  }
  json["layers"] = Json::array();
  for (const LayerChange& c : diff.layers) {
    const bool judged = diff.same_settings && c.before_score && c.after_score;
    Json row{{"name", c.layer}, {"change", kind_word(c.kind)}};
    row["before"] = {{"form", or_null(c.before_form, [](const auto& f) { return to_string(f); })},
                     {"bytes", or_null(c.before_bytes, [](auto b) { return b; })},
                     {"sensitivity", estimate_json(c.before_score)}};
    row["after"] = {{"form", or_null(c.after_form, [](const auto& f) { return to_string(f); })},
                    {"bytes", or_null(c.after_bytes, [](auto b) { return b; })},
                    {"sensitivity", estimate_json(c.after_score)}};
    row["beyond_errors"] = judged ? Json(beyond_errors(*c.before_score, *c.after_score)) : Json(nullptr);
    json["layers"].push_back(std::move(row));
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string render(const RecordDiff& diff, const ReportOptions& options) {
  constexpr int kLeastWidth = 60;
  if (options.format == "json") return document(diff);
  if (options.format == "md") return markdown(diff);
  if (options.format == "table")
    return terminal(diff, Style(options.color, options.unicode, std::max(options.width, kLeastWidth)));
  throw Error(ErrorCode::kUsage, "There is no format \"" + options.format + "\" for a comparison.", "--format",
              "The formats are table, json and md.");
}

}  // namespace mpq
