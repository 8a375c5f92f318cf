#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mpq::cli {

/// Writes one JSON document, indented by two spaces, keys in the order given. The caller keeps begin and end paired.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(std::int64_t number) { return raw(std::to_string(number)); }
  JsonWriter& value(double number);  ///< null for what is no number
  JsonWriter& value(bool truth) { return raw(truth ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  /// A whole JSON value, complete as it is.
  JsonWriter& raw(std::string_view json);
  /// The document with a final line feed.
  std::string text() const { return text_ + "\n"; }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void before_value();

  std::string text_;
  std::vector<bool> has_items_;
  bool after_key_ = false;
};

/// `text` as a JSON string, quotes included; malformed UTF-8 becomes U+FFFD.
std::string json_string(std::string_view text);

}  // namespace mpq::cli
