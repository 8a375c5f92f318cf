#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "records/json_writer.h"

namespace mpq {

/// One value of a record being read, which knows the file and the path it stands at. Every method throws
/// Error{kInvalidInput} that names both when the value is missing or is not what was expected.
class JsonReader {
 public:
  JsonReader(const Json& value, std::string path, const std::string& where)
      : value_(&value), path_(std::move(path)), where_(&where) {}

  /// A member of an object that must be there / that may be absent or null.
  JsonReader at(const std::string& key) const;
  std::optional<JsonReader> find(const std::string& key) const;
  /// Whether this is an array, and its elements.
  bool is_list() const { return value_->is_array(); }
  std::vector<JsonReader> elements() const;
  /// The members of an object, in order.
  std::vector<std::pair<std::string, JsonReader>> members() const;

  std::string string() const;
  bool boolean() const;
  /// Integers within [least, greatest].
  std::int64_t integer(std::int64_t least, std::int64_t greatest = INT64_MAX) const;
  int small_integer(int least, int greatest) const;
  std::uint64_t natural() const;
  double non_negative() const;  ///< a finite number
  /// One of a few words.
  std::string word(const std::vector<std::string>& choices) const;

  /// Member `key` of this object as a number; null is what KEY_reason says, and NaN without a reason.
  double number(const std::string& key) const;
  /// The same, at least 0 (NaN passes).
  double non_negative(const std::string& key) const;
  /// The same, where null without a reason means that there is no figure.
  std::optional<double> optional_number(const std::string& key) const;
  /// What text_pairs wrote.
  std::vector<std::pair<std::string, std::string>> text_pairs() const;

  /// Says what was found here and what was expected.
  [[noreturn]] void fail(const std::string& expected) const;

 private:
  const Json* value_;
  std::string path_;
  const std::string* where_;
};

/// Parses the text of a record and checks that it is of `kind` ("sensitivity", "plan", "run", "profile") and of
/// `version`. Throws Error{kInvalidInput}.
Json parse_record(const std::string& text, const std::string& where, const std::string& kind, int version);

}  // namespace mpq
