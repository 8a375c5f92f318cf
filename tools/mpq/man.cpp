#include "man.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "mpq/version.h"

#include "commands.h"
#include "help.h"
#include "suggest.h"
#include "topics.h"

// Manual pages in the man macros, from the tables that the command line and the help are made from.

namespace mpq::cli {
namespace {

/// Text that roff shows as it stands.
std::string roff(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '\\':
        result += "\\e";
        break;
      case '-':
        result += "\\-";
        break;
      case '\'':
        result += "\\(aq";
        break;
      default:
        result += c;
    }
  }
  return !result.empty() && result[0] == '.' ? "\\&" + result : result;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

/// mpq-quantize for quantize.
std::string page_name(const std::string& name) { return name == "mpq" ? name : "mpq-" + name; }
int section_of(const std::string& name) { return find_topic(name) != nullptr ? 7 : 1; }
std::string file_name(const std::string& name) { return fmt::format("{}.{}", page_name(name), section_of(name)); }
std::string reference(const std::string& name) {
  return fmt::format("\\fB{}\\fR({})", roff(page_name(name)), section_of(name));
}

std::string head(const std::string& name, const std::string& summary) {
  return fmt::format(".TH {} {} \"\" \"mpq {}\" \"mpq manual\"\n.SH NAME\n{} \\- {}\n", roff(upper(page_name(name))),
                     section_of(name), version(), roff(page_name(name)), roff(summary));
}

/// Lines that keep their breaks.
std::string verbatim(const std::string& text) {
  std::istringstream lines(text);
  std::string result = ".nf\n", line;
  while (std::getline(lines, line)) result += (line.empty() ? "\\&" : roff(line)) + '\n';
  return result + ".fi\n";
}

std::string option_entry(const Option& option) {
  std::string names = fmt::format("\\fB{}\\fR", roff(std::string("--") + option.name));
  if (option.letter != 0) names = fmt::format("\\fB\\-{}\\fR, ", option.letter) + names;
  if (!option.is_flag()) names += fmt::format(" \\fI{}\\fR", roff(option.value));
  return fmt::format(".TP\n{}\n{}\n", names, roff(option.help));
}

std::string options_of(const Command& command) {
  std::string text = ".SH OPTIONS\n";
  for (const OptionGroup& group : option_groups()) {
    std::string entries;
    for (const Option& option : option_table()) {
      if ((option.commands & command.bit) != 0 && option.group == group.group) entries += option_entry(option);
    }
    if (!entries.empty()) text += fmt::format(".SS {}\n", group.heading) + entries;
  }
  return text;
}

std::string see_also(const std::vector<std::string>& names) {
  std::vector<std::string> pages;
  for (const std::string& name : names) pages.push_back(reference(name));
  return fmt::format(".SH SEE ALSO\n{}\n", fmt::join(pages, ", "));
}

std::string command_page(const Command& command) {
  std::string text = head(command.name, command.summary);
  text += fmt::format(".SH SYNOPSIS\n\\fBmpq {}\\fR \\fI{}{}\\fR [\\fIOPTIONS\\fR]\n", roff(command.name),
                      fmt::join(command.positionals, " "), command.several ? "..." : "");
  text +=
      fmt::format(".SH DESCRIPTION\n{}\n.SH EXAMPLES\n", roff(command.details)) + verbatim(example_lines(command, 0));
  text += options_of(command);
  text += fmt::format(".SH ENVIRONMENT\n{}\n.SH EXIT STATUS\n", roff(kPrecedence));
  return text + verbatim(find_topic("exit-codes")->text) + see_also({"mpq", "exit-codes"});
}

std::string topic_page(const Topic& topic) {
  return head(topic.name, topic.summary) + ".SH DESCRIPTION\n" + verbatim(topic.text) + see_also({"mpq"});
}

std::string main_page() {
  std::string text = head("mpq", kSummary);
  text += ".SH SYNOPSIS\n\\fBmpq\\fR \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]\n.SH COMMANDS\n";
  for (const Command& command : command_table())
    text += fmt::format(".TP\n{}\n{}\n", reference(command.name), roff(command.summary));
  text += ".SH TOPICS\n";
  for (const Topic& topic : topic_table())
    text += fmt::format(".TP\n{}\n{}\n", reference(topic.name), roff(topic.summary));
  return text + ".SH EXAMPLES\n" + verbatim(example_lines(*find_command("quantize"), 0));
}

std::string list() {
  std::string text;
  for (const std::string& name : manual_names()) text += file_name(name) + '\n';
  return text;
}

}  // namespace

std::vector<std::string> manual_names() {
  std::vector<std::string> names = {"mpq"};
  for (const Command& command : command_table()) names.emplace_back(command.name);
  for (const Topic& topic : topic_table()) names.emplace_back(topic.name);
  return names;
}

int run_man(const Settings& settings, Console& console) {
  const std::string& page = settings.positionals[0];
  if (page == "list") {
    console.result(list());
  } else if (page == "mpq") {
    console.result(main_page());
  } else if (const Command* command = find_command(page)) {
    console.result(command_page(*command));
  } else if (const Topic* topic = find_topic(page)) {
    console.result(topic_page(*topic));
  } else {
    const std::string guess = did_you_mean(page, manual_names());
    throw Error(ErrorCode::kUsage, fmt::format("There is no manual page \"{}\".", page), "mpq man",
                guess.empty() ? "`mpq man list` lists them." : guess);
  }
  return 0;
}

}  // namespace mpq::cli
