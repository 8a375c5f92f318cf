#pragma once

#include <cstddef>
#include <string>

#include "mpq/text.h"

namespace mpq::report {

/// What a piece of text means; the style decides how that looks.
enum class Tone { kPlain, kHeading, kFaint, kGood, kWarning, kBad };

/// How the terminal is addressed: escape codes or none, Unicode or ASCII, so many columns.
class Style {
 public:
  Style(bool color, bool unicode, int width) : color_(color), unicode_(unicode), width_(width) {}

  /// `text` in the tone's colour, or unchanged where colours are off.
  std::string paint(Tone tone, const std::string& text) const;
  std::size_t width() const { return static_cast<std::size_t>(width_); }

  const char* arrow() const { return unicode_ ? "→" : "->"; }
  const char* plus_minus() const { return unicode_ ? "±" : "+-"; }
  const char* ellipsis() const { return unicode_ ? "…" : "..."; }
  std::string rule() const;
  /// A horizontal bar of `fraction` (0 to 1) of `cells` terminal cells, in eighths of a cell where Unicode is there.
  std::string bar(double fraction, int cells) const;
  std::string shorten(const std::string& text, std::size_t cells) const {
    return shorten_middle(text, cells, ellipsis());
  }

 private:
  bool color_, unicode_;
  int width_;
};

/// `text` broken at spaces into lines of at most `width` cells, the later ones indented by `indent` spaces.
/// The first line is taken to begin at column `indent` already.
std::string wrap(const std::string& text, std::size_t indent, std::size_t width);

}  // namespace mpq::report
