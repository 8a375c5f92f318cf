#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace mpq::report {

// Names in a record come from files that strangers made. Each of these makes any text safe in one place, and shows
// control characters, invisible marks and malformed UTF-8 as `?`.

/// As text or quoted attribute of HTML and XML: & < > " ' become references.
std::string markup_text(std::string_view text);

/// As one cell of a Markdown table, without formatting: no line break, no column bar, no markup, no HTML.
std::string markdown_text(std::string_view text);

/// As inline code of a Markdown table; code knows no escapes, so backticks become `'` and column bars `\|`.
std::string markdown_code(std::string_view text);

/// The document inside a <script> element: pure ASCII, and no `<`, `>` or `&` that could end the element early.
std::string script_json(const nlohmann::ordered_json& value);

}  // namespace mpq::report
