#include "data/npy_header.h"

#include <charconv>

namespace mpq::data {
namespace {

/// A reader for the few Python literals a header consists of. Every step says whether it succeeded.
class Literal {
 public:
  explicit Literal(std::string_view text) : rest_(text) {}

  bool take(std::string_view token) {
    skip_blanks();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::optional<std::string> quoted() {
    skip_blanks();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) return std::nullopt;
    const auto end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }

  std::optional<bool> boolean() {
    if (take("True")) return true;
    if (take("False")) return false;
    return std::nullopt;
  }

  std::optional<std::int64_t> integer() {
    skip_blanks();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    (void)take("L");  // Python 2 wrote long integers so
    return value;
  }

  std::optional<std::vector<std::int64_t>> tuple() {
    if (!take("(")) return std::nullopt;
    std::vector<std::int64_t> items;
    while (!take(")")) {
      const auto item = integer();
      if (!item) return std::nullopt;
      items.push_back(*item);
      if (!take(",")) return take(")") ? std::optional(items) : std::nullopt;
    }
    return items;
  }

  /// A bracketed list, unparsed.
  std::optional<std::string> list() {
    skip_blanks();
    int depth = 0;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      if (rest_[i] == '[') ++depth;
      if (rest_[i] == ']' && --depth == 0) {
        std::string text(rest_.substr(0, i + 1));
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (depth == 0) break;
    }
    return std::nullopt;
  }

  bool at_end() {
    skip_blanks();
    return rest_.empty();
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n' || rest_.front() == '\t')) {
      rest_.remove_prefix(1);
    }
  }
  std::string_view rest_;
};

}  // namespace

std::optional<NpyHeader> parse_npy_header(std::string_view text) {
  Literal in(text);
  std::optional<std::string> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::int64_t>> shape;
  if (!in.take("{")) return std::nullopt;
  while (!in.take("}")) {
    const auto key = in.quoted();
    if (!key || !in.take(":")) return std::nullopt;
    bool good = false;
    if (*key == "descr") {
      descr = in.quoted();
      if (!descr) descr = in.list();
      good = descr.has_value();
    } else if (*key == "fortran_order") {
      good = (fortran_order = in.boolean()).has_value();
    } else if (*key == "shape") {
      good = (shape = in.tuple()).has_value();
    }
    if (!good) return std::nullopt;
    if (in.take(",")) continue;
    if (!in.take("}")) return std::nullopt;
    break;
  }
  if (!in.at_end() || !descr || !fortran_order || !shape) return std::nullopt;
  return NpyHeader{*descr, *fortran_order, *shape};
}

}  // namespace mpq::data
