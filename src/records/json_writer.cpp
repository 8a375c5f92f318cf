#include "records/json_writer.h"

#include <algorithm>
#include <cmath>

namespace mpq {
namespace {

constexpr std::size_t kLineLength = 200;  // one line per candidate of a sensitivity record

std::string plain(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

bool is_flat(const Json& value) {
  return std::none_of(value.begin(), value.end(),
                      [](const Json& child) { return child.is_structured() && !child.empty(); });
}

/// "[1, 2]" or "{"a": 1}" for a container of plain values.
std::string on_one_line(const Json& value) {
  if (!value.is_structured() || value.empty()) return plain(value);
  std::string text;
  for (const auto& [key, child] : value.items()) {
    if (!text.empty()) text += ", ";
    if (value.is_object()) text += plain(key) + ": ";
    text += plain(child);
  }
  return value.is_object() ? "{" + text + "}" : "[" + text + "]";
}

void print(const Json& value, std::size_t depth, std::string& out) {
  if (!value.is_structured() || value.empty() || is_flat(value)) {
    const std::string line = on_one_line(value);
    // Lists of plain values always stand on one line; objects only while they can be read.
    if (!value.is_object() || line.size() + 2 * depth <= kLineLength) {
      out += line;
      return;
    }
  }
  const std::string indent(2 * (depth + 1), ' ');
  out += value.is_object() ? '{' : '[';
  bool first = true;
  for (const auto& [key, child] : value.items()) {
    out += first ? "\n" : ",\n";
    first = false;
    out += indent;
    if (value.is_object()) out += plain(key) + ": ";
    print(child, depth + 1, out);
  }
  out += "\n" + std::string(2 * depth, ' ');
  out += value.is_object() ? '}' : ']';
}

}  // namespace

void put_number(Json& object, const std::string& key, double value) {
  if (std::isfinite(value)) {
    object[key] = value;
    return;
  }
  object[key] = nullptr;
  object[key + "_reason"] = std::isnan(value) ? "not a number" : value > 0 ? "infinite" : "negative infinite";
}

void put_number(Json& object, const std::string& key, const std::optional<double>& value) {
  if (value) {
    put_number(object, key, *value);
  } else {
    object[key] = nullptr;
  }
}

Json text_pairs(const std::vector<std::pair<std::string, std::string>>& pairs) {
  Json object = Json::object();
  for (const auto& [name, value] : pairs) {
    if (!object.contains(name)) {
      object[name] = value;
      continue;
    }
    if (!object[name].is_array()) object[name] = Json::array({object[name]});
    object[name].push_back(value);
  }
  return object;
}

std::string dump_record(const Json& value) {
  std::string text;
  print(value, 0, text);
  return text + "\n";
}

}  // namespace mpq
