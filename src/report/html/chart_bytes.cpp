#include <algorithm>

#include <fmt/format.h>

#include "mpq/text.h"

#include "report/html/svg.h"
#include "report/html/view.h"
#include "report/markup.h"
#include "report/numbers.h"
#include "support/text.h"

// Where the bytes go: the file before and after, on one scale, cut into its largest layers.

namespace mpq::report::html {
namespace {

constexpr std::size_t kNamed = 8;

std::int64_t after_bytes(const RunRecord& record) {
  return record.output ? record.output->bytes : record.plan->file_bytes;
}

std::string stack(const std::vector<Part>& parts, std::int64_t Part::*bytes, double y, double whole) {
  std::string text;
  double x = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const double width = 100 * static_cast<double>(parts[i].*bytes) / whole;
    text += fmt::format(
        "<rect class=\"part c{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"30\"><title>{}: {} "
        "bytes</title></rect>\n",
        i, percent_of(x), coordinate(y), percent_of(width), markup_text(parts[i].name), format_count(parts[i].*bytes));
    x += width;
  }
  return text;
}

}  // namespace

std::vector<Part> file_parts(const View& view) {
  if (view.plan == nullptr || view.record.model.bytes <= 0) return {};
  std::vector<Part> layers;
  for (const LayerRow& row : view.deep) {
    if (row.entry == nullptr) continue;
    const bool known = row.scores != nullptr && !row.scores->candidates.empty();
    layers.push_back({row.name, known ? row.scores->candidates.back().stored_bytes : 4 * row.entry->parameters,
                      row.entry->stored_bytes});
  }
  std::stable_sort(layers.begin(), layers.end(), [](const Part& a, const Part& b) { return a.before > b.before; });
  Part others{"other layers", 0, 0}, rest{"everything else in the file", view.record.model.bytes, 0};
  rest.after = after_bytes(view.record);
  std::vector<Part> parts;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    rest.before -= layers[i].before;
    rest.after -= layers[i].after;
    if (i < kNamed) {
      parts.push_back(layers[i]);
    } else {
      others.before += layers[i].before;
      others.after += layers[i].after;
    }
  }
  if (layers.size() > kNamed) parts.push_back(others);
  rest.before = std::max<std::int64_t>(rest.before, 0);
  rest.after = std::max<std::int64_t>(rest.after, 0);
  parts.push_back(rest);
  return parts;
}

std::string bytes_card(const View& view) {
  const auto parts = file_parts(view);
  if (parts.empty()) return "";
  const std::int64_t after = after_bytes(view.record);
  const auto whole = static_cast<double>(std::max(view.record.model.bytes, after));
  std::string svg =
      "<svg class=\"chart\" role=\"img\" aria-label=\"Where the bytes go, before and after\" width=\"100%\" "
      "height=\"122\">\n";
  svg += fmt::format("<text class=\"tick\" x=\"0\" y=\"13\">before: {} bytes</text>",
                     format_count(view.record.model.bytes)) +
         stack(parts, &Part::before, 20, whole);
  svg += fmt::format("<text class=\"tick\" x=\"0\" y=\"77\">after: {} bytes</text>", format_count(after)) +
         stack(parts, &Part::after, 84, whole) + "</svg>\n";
  std::string table =
      "<div class=\"scroll\"><table><thead><tr><th class=\"l\">part</th><th>before</th><th>after</th><th>of "
      "before</th></tr></thead><tbody>\n";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Part& p = parts[i];
    const double ratio = p.before > 0 ? static_cast<double>(p.after) / static_cast<double>(p.before) : 0;
    table += fmt::format(
        "<tr><td class=\"l\" title=\"{1}\"><span class=\"key c{0}\"></span>{2}</td><td>{3}</td><td>{4}</td><td>{5}"
        "</td></tr>\n",
        i, markup_text(p.name), markup_text(shorten_middle(printable(p.name), 42, "…")), format_count(p.before),
        format_count(p.after), p.before > 0 ? percent(ratio) : "");
  }
  return card("bytes", "Where the bytes go", "The file before and after, on one scale.",
              "<div class=\"still\">\n" + svg + "</div>\n" + table + "</tbody></table></div>\n");
}

}  // namespace mpq::report::html
