#include "graph/wording.h"

namespace mpq::graph {

namespace {

bool continues(unsigned char byte) { return (byte & 0xC0u) == 0x80u; }

/// Length of the well-formed UTF-8 character at the start of `text` (RFC 3629, section 4); 0 when it is broken.
std::size_t character_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = at(0);
  const unsigned second = at(1);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !continues(static_cast<unsigned char>(second))) return 0;
  if (first < 0xE0) return 2;
  if (!continues(static_cast<unsigned char>(at(2)))) return 0;
  if (first < 0xF0) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  const bool overlong = first == 0xF0 && second < 0x90;
  const bool beyond_unicode = first == 0xF4 && second > 0x8F;
  return overlong || beyond_unicode || !continues(static_cast<unsigned char>(at(3))) ? 0 : 4;
}

}  // namespace

bool valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    // U+0080 to U+009F are control characters too: terminals act on them.
    const bool control =
        first < 0x20 || first == 0x7F || (length == 2 && first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0);
    if (length == 0 || control) {
      shown += '?';
    } else {
      shown += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return shown;
}

std::string in_quotes(std::string_view name) {
  constexpr std::size_t kLongest = 80;
  if (name.size() <= kLongest) return "'" + printable(name) + "'";
  std::size_t end = kLongest;
  while (end > 0 && continues(static_cast<unsigned char>(name[end]))) --end;
  return "'" + printable(name.substr(0, end)) + "...'";
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  std::string text;
  const std::size_t shown = names.size() > kShown ? kShown : names.size();
  for (std::size_t i = 0; i < shown; ++i) {
    const bool last = i + 1 == names.size();
    text += (i == 0 ? "" : last ? " and " : ", ") + in_quotes(names[i]);
  }
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return text;
}

std::string node_label(const onnx::NodeProto& node) {
  const std::string op = node.op_type().empty() ? "(no operator)" : printable(node.op_type().substr(0, 80));
  if (!node.name().empty()) return "node " + in_quotes(node.name()) + " (" + op + ")";
  for (const std::string& output : node.output()) {
    if (!output.empty()) return "the " + op + " node that writes " + in_quotes(output);
  }
  return "an unnamed " + op + " node without outputs";
}

void invalid(const std::string& what, const std::string& where, const std::string& hint) {
  throw Error(ErrorCode::kInvalidInput, what, where, hint);
}

void unsupported(const std::string& what, const std::string& where, const std::string& hint) {
  throw Error(ErrorCode::kUnsupported, what, where, hint);
}

}  // namespace mpq::graph
