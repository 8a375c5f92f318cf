#include "records/json_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mpq/error.h"

#include "support/text.h"

namespace mpq {
namespace {

constexpr std::size_t kShownCharacters = 40;

/// The value as a message shows it.
std::string shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  const std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() <= kShownCharacters ? text : text.substr(0, kShownCharacters) + "...";
}

std::string line_and_column(const std::string& text, std::size_t byte) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(byte == 0 ? 0 : byte - 1, text.size()));
  const auto line = std::count(text.begin(), end, '\n') + 1;
  const auto line_start = std::find(std::make_reverse_iterator(end), text.rend(), '\n').base();
  return "line " + std::to_string(line) + ", column " + std::to_string(end - line_start + 1);
}

}  // namespace

void JsonReader::fail(const std::string& expected) const {
  throw Error(ErrorCode::kInvalidInput,
              "The record holds " + shown(*value_) + " at " + (path_.empty() ? "its top" : path_) + "; " + expected +
                  " was expected.",
              *where_, "Write the record again with this version of mpq.");
}

JsonReader JsonReader::at(const std::string& key) const {
  if (!value_->is_object()) fail("an object");
  const auto found = value_->find(key);
  const std::string path = path_.empty() ? key : path_ + "." + key;
  if (found == value_->end())
    throw Error(ErrorCode::kInvalidInput, "The record lacks the value " + path + ".", *where_,
                "Write the record again with this version of mpq.");
  return {*found, path, *where_};
}

std::optional<JsonReader> JsonReader::find(const std::string& key) const {
  if (!value_->is_object()) fail("an object");
  const auto found = value_->find(key);
  if (found == value_->end() || found->is_null()) return std::nullopt;
  return at(key);
}

std::vector<JsonReader> JsonReader::elements() const {
  if (!value_->is_array()) fail("a list");
  std::vector<JsonReader> result;
  for (std::size_t i = 0; i < value_->size(); ++i)
    result.emplace_back((*value_)[i], path_ + "[" + std::to_string(i) + "]", *where_);
  return result;
}

std::vector<std::pair<std::string, JsonReader>> JsonReader::members() const {
  if (!value_->is_object()) fail("an object");
  std::vector<std::pair<std::string, JsonReader>> result;
  for (const auto& [key, child] : value_->items()) result.emplace_back(key, at(key));
  return result;
}

std::string JsonReader::string() const {
  if (!value_->is_string()) fail("a text");
  return value_->get<std::string>();
}

bool JsonReader::boolean() const {
  if (!value_->is_boolean()) fail("true or false");
  return value_->get<bool>();
}

std::int64_t JsonReader::integer(std::int64_t least, std::int64_t greatest) const {
  const auto expected = [&] {
    return greatest == INT64_MAX ? "an integer of at least " + std::to_string(least)
                                 : "an integer from " + std::to_string(least) + " to " + std::to_string(greatest);
  };
  if (!value_->is_number_integer()) fail(expected());
  // Numbers above 2^63 are unsigned in the parser and would wrap.
  if (value_->is_number_unsigned() && value_->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
    fail(expected());
  const auto number = value_->get<std::int64_t>();
  if (number < least || number > greatest) fail(expected());
  return number;
}

int JsonReader::small_integer(int least, int greatest) const { return static_cast<int>(integer(least, greatest)); }

std::uint64_t JsonReader::natural() const {
  if (!value_->is_number_unsigned()) fail("an integer of at least 0");
  return value_->get<std::uint64_t>();
}

double JsonReader::non_negative() const {
  if (!value_->is_number() || value_->get<double>() < 0) fail("a number of at least 0");
  return value_->get<double>();
}

std::string JsonReader::word(const std::vector<std::string>& choices) const {
  const std::string text = string();
  if (std::find(choices.begin(), choices.end(), text) == choices.end()) fail("one of " + join(choices, ", "));
  return text;
}

double JsonReader::number(const std::string& key) const {
  return optional_number(key).value_or(std::numeric_limits<double>::quiet_NaN());
}

double JsonReader::non_negative(const std::string& key) const {
  const double value = number(key);
  if (value < 0) at(key).fail("a number of at least 0");
  return value;
}

std::optional<double> JsonReader::optional_number(const std::string& key) const {
  const JsonReader member = at(key);
  if (member.value_->is_number()) return member.value_->get<double>();
  if (!member.value_->is_null()) member.fail("a number or null");
  const std::optional<JsonReader> reason = find(key + "_reason");
  if (!reason) return std::nullopt;
  const std::string word = reason->word({"not a number", "infinite", "negative infinite"});
  if (word == "not a number") return std::numeric_limits<double>::quiet_NaN();
  return word == "infinite" ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
}

std::vector<std::pair<std::string, std::string>> JsonReader::text_pairs() const {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [key, member] : members()) {
    if (!member.is_list()) {
      pairs.emplace_back(key, member.string());
      continue;
    }
    for (const JsonReader& element : member.elements()) pairs.emplace_back(key, element.string());
  }
  return pairs;
}

Json parse_record(const std::string& text, const std::string& where, const std::string& kind, int version) {
  Json value;
  try {
    value = Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw Error(ErrorCode::kInvalidInput,
                "The file is no JSON: it breaks at " + line_and_column(text, error.byte) + ".", where,
                "Give a record that mpq wrote.");
  }
  const JsonReader reader(value, "", where);
  if (!value.is_object() || !value.contains("schema_version") || !value.contains("record"))
    throw Error(ErrorCode::kInvalidInput,
                "The file is JSON, but no record of mpq: schema_version or record is missing.", where,
                "Give a record that mpq wrote.");
  const std::string found = reader.at("record").word({"sensitivity", "plan", "run", "profile"});
  if (found != kind)
    throw Error(ErrorCode::kInvalidInput, "The file holds a " + found + " record; a " + kind + " record was expected.",
                where);
  const std::int64_t found_version = reader.at("schema_version").integer(1);
  if (found_version != version)
    throw Error(ErrorCode::kInvalidInput,
                "The record has schema version " + std::to_string(found_version) + "; this mpq reads version " +
                    std::to_string(version) + ".",
                where, "Write the record again with this version of mpq.");
  return value;
}

}  // namespace mpq
