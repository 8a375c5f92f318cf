#include <charconv>
#include <string>
#include <system_error>

#include "mpq/error.h"
#include "mpq/sensitivity.h"

namespace mpq {
namespace {

/// All of `text` as a number; 0 when it is none.
int number_of(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

}  // namespace

Shard Shard::parse(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string_view all = text;
  const Shard shard = slash == std::string::npos
                          ? Shard{0, 0}
                          : Shard{number_of(all.substr(0, slash)), number_of(all.substr(slash + 1))};
  if (shard.part < 1 || shard.parts < shard.part) {
    throw Error(ErrorCode::kUsage, "\"" + text + "\" names no part of an analysis.", "--shard",
                "Write it as K/N: 1/4 is the first of four parts.");
  }
  return shard;
}

std::string to_string(const Shard& shard) { return std::to_string(shard.part) + '/' + std::to_string(shard.parts); }

}  // namespace mpq
