#include "graph/wording.h"

#include <gmock/gmock.h>

namespace mpq::graph {
namespace {

TEST(Wording, ShowsNamesSafely) {
  EXPECT_EQ(in_quotes("conv1"), "'conv1'");
  EXPECT_EQ(in_quotes("a\x1b[31m\nb\x7f"), "'a?[31m?b?'");
  EXPECT_EQ(in_quotes("größe 重量 🙂"), "'größe 重量 🙂'");
  EXPECT_EQ(in_quotes("caf\xe9"), "'caf?'");
  EXPECT_EQ(in_quotes("\xc2\x9b"
                      "2J"),
            "'?2J'");  // CSI as a C1 control character
  EXPECT_EQ(in_quotes(std::string(500, 'x')), "'" + std::string(80, 'x') + "...'");
  std::string umlauts;
  for (int i = 0; i < 60; ++i) umlauts += "ä";
  EXPECT_TRUE(valid_utf8(in_quotes("x" + umlauts)));
}

TEST(Wording, KnowsUtf8) {
  for (const char* good : {"", "plain", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(valid_utf8(good)) << good;
  }
  // RFC 3629: overlong forms, surrogates, beyond U+10FFFF, lone or missing continuation bytes.
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xe1\x80", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf1\x80\x80", "\xff", "a\xe4"}) {
    EXPECT_FALSE(valid_utf8(bad)) << ::testing::PrintToString(std::string(bad));
  }
}

TEST(Wording, ListsNames) {
  EXPECT_EQ(listed({"a"}), "'a'");
  EXPECT_EQ(listed({"a", "b"}), "'a' and 'b'");
  EXPECT_EQ(listed({"a", "b", "c"}), "'a', 'b' and 'c'");
  EXPECT_EQ(listed({"a", "b", "c", "d", "e"}), "'a', 'b', 'c' and 2 more");
}

TEST(Wording, NamesNodes) {
  onnx::NodeProto node;
  node.set_op_type("Conv");
  EXPECT_EQ(node_label(node), "an unnamed Conv node without outputs");
  node.add_output("y");
  EXPECT_EQ(node_label(node), "the Conv node that writes 'y'");
  node.set_name("c1");
  EXPECT_EQ(node_label(node), "node 'c1' (Conv)");
}

}  // namespace
}  // namespace mpq::graph
