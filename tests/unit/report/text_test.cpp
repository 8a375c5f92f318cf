#include "mpq/text.h"

#include <gtest/gtest.h>

namespace mpq {
namespace {

TEST(Text, AcceptsWellFormedCharactersOfEveryLength) {
  EXPECT_EQ(utf8_length("a"), 1U);
  EXPECT_EQ(utf8_length("\xC3\xA9"), 2U);
  EXPECT_EQ(utf8_length("\xE2\x82\xAC"), 3U);
  EXPECT_EQ(utf8_length("\xF0\x9F\x98\x80"), 4U);
}

TEST(Text, RefusesMalformedCharacters) {
  EXPECT_EQ(utf8_length(""), 0U);
  EXPECT_EQ(utf8_length("\x80"), 0U) << "a continuation byte begins nothing";
  EXPECT_EQ(utf8_length("\xC0\xAF"), 0U) << "an overlong slash";
  EXPECT_EQ(utf8_length("\xE0\x80\xAF"), 0U) << "an overlong slash in three bytes";
  EXPECT_EQ(utf8_length("\xED\xA0\x80"), 0U) << "a surrogate";
  EXPECT_EQ(utf8_length("\xF4\x90\x80\x80"), 0U) << "beyond U+10FFFF";
  EXPECT_EQ(utf8_length("\xE2\x82"), 0U) << "cut off";
}

TEST(Text, KeepsEscapeSequencesFromTheTerminal) {
  EXPECT_EQ(printable("conv\x1b[31m1"), "conv?[31m1");
  EXPECT_EQ(printable("a\nb\rc\td\x7f"), "a?b?c?d?");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m"),
            "?31m")
      << "the one-character form of ESC [";
  EXPECT_EQ(printable("\xE2\x80\xAE"
                      "abc"),
            "?abc")
      << "right-to-left override";
  EXPECT_EQ(printable("caf\xC3\xA9"), "caf\xC3\xA9");
  EXPECT_EQ(printable("a\xFFz"), "a?z");
}

TEST(Text, CountsTerminalCells) {
  EXPECT_EQ(display_width("conv"), 4U);
  EXPECT_EQ(display_width("caf\xC3\xA9"), 4U);
  EXPECT_EQ(display_width("\xE5\xB1\xA4"), 2U) << "a CJK character";
}

TEST(Text, ShortensInTheMiddleToTheCell) {
  EXPECT_EQ(shorten_middle("short", 5), "short");
  EXPECT_EQ(shorten_middle("encoder/layer.0/attention/query", 15), "encode.../query");
  for (std::size_t cells = 0; cells < 40; ++cells) {
    EXPECT_LE(display_width(shorten_middle("encoder/\xE5\xB1\xA4/attention/\xE5\xB1\xA4/query", cells)), cells);
  }
  EXPECT_EQ(shorten_middle("abcdefghij", 5, "\xE2\x80\xA6"), "ab\xE2\x80\xA6ij");
}

}  // namespace
}  // namespace mpq
