#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace mpq {

/// Keys keep the order they are written in, so equal values give equal texts.
using Json = nlohmann::ordered_json;

/// JSON knows no NaN and no infinity: such a value becomes null, and KEY_reason says "not a number", "infinite" or
/// "negative infinite". JsonReader::number turns both back into the value.
void put_number(Json& object, const std::string& key, double value);
/// An absent figure is null without a reason.
void put_number(Json& object, const std::string& key, const std::optional<double>& value);

/// An object of texts in the given order. A name that occurs several times (a repeated option) becomes a list.
Json text_pairs(const std::vector<std::pair<std::string, std::string>>& pairs);

/// The text of a record: two spaces of indentation, but lists and objects of plain values that fit stand on one line.
/// Numbers have the fewest digits that read back as the same number. Bytes that are no UTF-8 become U+FFFD.
std::string dump_record(const Json& value);

}  // namespace mpq
