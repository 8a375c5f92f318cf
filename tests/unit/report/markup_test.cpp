#include "report/markup.h"

#include <gmock/gmock.h>

namespace mpq::report {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(MarkupText, LeavesNothingThatStartsAnElementOrEndsAnAttribute) {
  EXPECT_EQ(markup_text("</script><img src=\"x\" onerror='y'>&"),
            "&lt;/script&gt;&lt;img src=&quot;x&quot; onerror=&#39;y&#39;&gt;&amp;");
}

TEST(MarkupText, ControlsAndBrokenTextBecomeQuestionMarks) {
  EXPECT_EQ(markup_text("a\x1b[2J\n\x01\xff\xe2\x80\xae z"),
            "a?[2J????"
            " z");
}

TEST(MarkupText, KeepsOtherScripts) { EXPECT_EQ(markup_text("層/слой/🙂"), "層/слой/🙂"); }

TEST(MarkdownText, CannotLeaveItsCellOrFormat) {
  const std::string text = markdown_text("a|b\n# *x* [l](u) <b> `c`");
  EXPECT_THAT(text, Not(HasSubstr("\n")));
  EXPECT_THAT(text, HasSubstr("a\\|b"));
  EXPECT_THAT(text, HasSubstr("\\*x\\*"));
  EXPECT_THAT(text, HasSubstr("\\[l\\]"));
  EXPECT_THAT(text, HasSubstr("&lt;b&gt;"));
  EXPECT_THAT(text, HasSubstr("\\`c\\`"));
}

TEST(MarkdownCode, CannotEndTheCodeOrTheCell) { EXPECT_EQ(markdown_code("a`b|c\nd"), "`a'b\\|c?d`"); }

TEST(ScriptJson, CannotEndTheScript) {
  const std::string text = script_json({{"name", "</script><!--&\u2028"}});
  EXPECT_EQ(text, "{\"name\":\"\\u003c/script\\u003e\\u003c!--\\u0026\\u2028\"}");
  EXPECT_EQ(nlohmann::json::parse(text)["name"], "</script><!--&\u2028");
}

}  // namespace
}  // namespace mpq::report
