#include "report/markup.h"

#include "mpq/text.h"

namespace mpq::report {

std::string markup_text(std::string_view text) {
  std::string result;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string markdown_text(std::string_view text) {
  constexpr std::string_view kSpecial = "\\`*_{}[]()#+-.!|~$@:";
  std::string result;
  for (const char c : printable(text)) {
    const bool markup = c == '<' || c == '>' || c == '&';
    if (markup) {
      result += c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&amp;";
    } else {
      const bool harmless = c == '.' || c == '-' || c == '(' || c == ')' || c == ':' || c == '+';
      if (!harmless && kSpecial.find(c) != std::string_view::npos) result += '\\';
      result += c;
    }
  }
  return result;
}

std::string markdown_code(std::string_view text) {
  std::string result;
  for (const char c : printable(text)) {
    if (c == '`') {
      result += '\'';
    } else {
      if (c == '|') result += '\\';
      result += c;
    }
  }
  return '`' + result + '`';
}

std::string script_json(const nlohmann::ordered_json& value) {
  const std::string text = value.dump(-1, ' ', /*ensure_ascii=*/true, nlohmann::json::error_handler_t::replace);
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '<':
        result += "\\u003c";
        break;
      case '>':
        result += "\\u003e";
        break;
      case '&':
        result += "\\u0026";
        break;
      default:
        result += c;
    }
  }
  return result;
}

}  // namespace mpq::report
