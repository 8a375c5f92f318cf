#include "support/text.h"

#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mpq {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(GlobMatch, MatchesTheWholeText) {
  EXPECT_TRUE(glob_match("conv1", "conv1"));
  EXPECT_FALSE(glob_match("conv", "conv1"));
  EXPECT_FALSE(glob_match("onv1", "conv1"));
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_FALSE(glob_match("", "a"));
}

TEST(GlobMatch, StarsAlsoCrossSlashes) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("*", "a/b"));
  EXPECT_TRUE(glob_match("/model/*/Conv", "/model/layer1/0/Conv"));
  EXPECT_TRUE(glob_match("**x**", "x"));
  EXPECT_TRUE(glob_match("*a*b*", "xxaxxbxx"));
  EXPECT_FALSE(glob_match("*a*b", "ba"));
  EXPECT_TRUE(glob_match("a*a*a", "aaaa"));
  EXPECT_FALSE(glob_match("a*a*a", "aa"));
}

TEST(GlobMatch, QuestionMarksTakeOneCharacter) {
  EXPECT_TRUE(glob_match("conv?", "conv1"));
  EXPECT_FALSE(glob_match("conv?", "conv"));
  EXPECT_FALSE(glob_match("conv?", "conv12"));
}

TEST(GlobMatch, BracketsHoldRangesAndNegations) {
  EXPECT_TRUE(glob_match("conv[1-3]", "conv2"));
  EXPECT_FALSE(glob_match("conv[1-3]", "conv4"));
  EXPECT_TRUE(glob_match("[abc]x", "bx"));
  EXPECT_TRUE(glob_match("[!abc]x", "dx"));
  EXPECT_TRUE(glob_match("[^abc]x", "dx"));
  EXPECT_FALSE(glob_match("[!abc]x", "ax"));
  EXPECT_TRUE(glob_match("[]]", "]"));
  EXPECT_TRUE(glob_match("[a-]", "-"));
  EXPECT_TRUE(glob_match("[\\]a]", "]"));
  EXPECT_FALSE(glob_match("[a]", ""));
}

TEST(GlobMatch, AnUnclosedBracketStandsForItself) {
  EXPECT_TRUE(glob_match("a[b", "a[b"));
  EXPECT_FALSE(glob_match("a[b", "ab"));
}

TEST(GlobMatch, BackslashesTakeTheNextCharacterAsItIs) {
  EXPECT_TRUE(glob_match("a\\*b", "a*b"));
  EXPECT_FALSE(glob_match("a\\*b", "axb"));
  EXPECT_TRUE(glob_match("a\\[0\\]", "a[0]"));
  EXPECT_TRUE(glob_match("a\\", "a\\"));
}

TEST(GlobMatch, ManyStarsStayFast) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  EXPECT_FALSE(glob_match(pattern + "b", std::string(5000, 'a')));
}

/// The definition, by recursion.
bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') return matches(pattern.substr(1), text) || (!text.empty() && matches(pattern, text.substr(1)));
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) && matches(pattern.substr(1), text.substr(1));
}

TEST(GlobMatch, AgreesWithTheDefinitionOnRandomPatterns) {
  std::mt19937 random(3);
  const auto word = [&](const std::string& letters, std::size_t most) {
    std::string text;
    for (std::size_t n = random() % (most + 1); n > 0; --n) text += letters[random() % letters.size()];
    return text;
  };
  for (int round = 0; round < 20000; ++round) {
    const std::string pattern = word("ab*?", 7), text = word("ab", 8);
    ASSERT_EQ(glob_match(pattern, text), matches(pattern, text)) << pattern << " on " << text;
  }
}

TEST(Nearest, OffersWhatIsNearBestFirst) {
  const std::vector<std::string> known = {"/model/conv1/Conv", "/model/conv2/Conv", "/fc/Gemm", "classifier"};
  EXPECT_THAT(nearest("clasifier", known), ElementsAre("classifier"));
  EXPECT_THAT(nearest("/fc/Gem", known), ElementsAre("/fc/Gemm"));
  EXPECT_THAT(nearest("conv1*", known), testing::Contains("/model/conv1/Conv"));
  EXPECT_THAT(nearest("gemm", known), ElementsAre("/fc/Gemm"));
  EXPECT_THAT(nearest("/model/conv1/conv", known, 1), ElementsAre("/model/conv1/Conv"));
}

TEST(Nearest, OffersNothingThatIsFarAway) {
  EXPECT_THAT(nearest("transformer.h.0.attn", {"conv1", "fc"}), IsEmpty());
  EXPECT_THAT(nearest("*", {"conv1"}), IsEmpty());
  EXPECT_THAT(nearest("conv1", {}), IsEmpty());
}

TEST(FormatBytes, HasThreeDigitsAndPowersOfAThousand) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1000), "1.00 kB");
  EXPECT_EQ(format_bytes(12345), "12.3 kB");
  EXPECT_EQ(format_bytes(99949), "99.9 kB");
  EXPECT_EQ(format_bytes(99960), "100 kB");
  EXPECT_EQ(format_bytes(999499), "999 kB");
  EXPECT_EQ(format_bytes(999500), "1.00 MB");
  EXPECT_EQ(format_bytes(12345678), "12.3 MB");
  EXPECT_EQ(format_bytes(-12345678), "-12.3 MB");
  EXPECT_EQ(format_bytes(INT64_MAX), "9.22 EB");
}

TEST(FormatCount, GroupsThousands) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(format_count(-123456), "-123,456");
  EXPECT_EQ(format_count(-1234567), "-1,234,567");
}

TEST(FormatNumber, HasFourSignificantDigits) {
  EXPECT_EQ(format_number(0), "0");
  EXPECT_EQ(format_number(0.0123), "0.0123");
  EXPECT_EQ(format_number(0.012345678), "0.01235");
  EXPECT_EQ(format_number(1.0), "1");
  EXPECT_EQ(format_number(-3.14159), "-3.142");
  EXPECT_EQ(format_number(9.99999), "10");
  EXPECT_EQ(format_number(123456.7), "123457");
  EXPECT_EQ(format_number(0.001), "0.001");
  EXPECT_EQ(format_number(0.0009996), "9.996e-04");
  EXPECT_EQ(format_number(1.23e-7), "1.23e-07");
  EXPECT_EQ(format_number(1e6), "1e+06");
  EXPECT_EQ(format_number(NAN), "nan");
  EXPECT_EQ(format_number(-INFINITY), "-inf");
}

TEST(Join, PutsTheSeparatorBetween) {
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join({"a"}, ", "), "a");
  EXPECT_EQ(join({"a", "b", "c"}, ", "), "a, b, c");
}

}  // namespace
}  // namespace mpq
