#include "help.h"

#include <array>
#include <sstream>

#include <fmt/format.h>

#include "mpq/version.h"

#include "topics.h"

namespace mpq::cli {
namespace {

constexpr std::size_t kWidth = 80;

std::string wrapped(const std::string& text, std::size_t indent) {
  std::istringstream words(text);
  std::string result, word;
  std::size_t column = indent;
  while (words >> word) {
    if (column > indent && column + 1 + word.size() > kWidth) {
      result += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
  return result;
}

/// A command line cut before options, as a shell takes it.
std::string cut_command(std::string line, std::size_t indent) {
  const std::string margin(indent, ' ');
  std::string result = margin;
  while (margin.size() + line.size() > kWidth) {
    std::size_t cut = line.rfind(" --", kWidth - indent - 2);
    if (cut == std::string::npos || cut == 0) break;
    result += line.substr(0, cut) + " \\\n" + margin + "   ";
    line.erase(0, cut);
  }
  return result + line + '\n';
}

std::string option_line(const Option& option) {
  constexpr std::size_t kColumn = 28;
  std::string left = option.letter != 0 ? fmt::format("  -{}, ", option.letter) : "      ";
  left += std::string("--") + option.name + (option.is_flag() ? "" : std::string(" ") + option.value);
  const std::string gap =
      left.size() + 2 <= kColumn ? std::string(kColumn - left.size(), ' ') : "\n" + std::string(kColumn, ' ');
  return left + gap + wrapped(option.help, kColumn) + '\n';
}

std::string option_group(const Command& command, Option::Group group, const char* heading) {
  std::string lines;
  for (const Option& option : option_table()) {
    if ((option.commands & command.bit) != 0 && option.group == group) lines += option_line(option);
  }
  return lines.empty() ? "" : fmt::format("\n{}:\n{}", heading, lines);
}

}  // namespace

std::string example_lines(const Command& command, std::size_t indent) {
  std::istringstream lines(command.examples);
  std::string result;
  for (std::string line; std::getline(lines, line);) result += cut_command(line, indent);
  return result;
}

std::span<const OptionGroup> option_groups() {
  static constexpr std::array kGroups = {
      OptionGroup{Option::Group::kFiles, "Files"}, OptionGroup{Option::Group::kPlan, "Budget and layers"},
      OptionGroup{Option::Group::kGates, "Limits"}, OptionGroup{Option::Group::kAnalysis, "Measuring"},
      OptionGroup{Option::Group::kRun, "Running"}};
  return kGroups;
}

std::string general_help() {
  std::string text = fmt::format(
      "mpq {}: {}\n\n"
      "Examples:\n"
      "  mpq quantize model.onnx --budget 6bit\n"
      "  mpq quantize model.onnx --budget 6bit --calibration inputs.npz\n"
      "  mpq inspect model.onnx\n\n"
      "Usage: mpq COMMAND [ARGUMENTS]\n\nCommands:\n",
      version(), kSummary);
  for (const Command& command : command_table()) text += fmt::format("  {:<10} {}\n", command.name, command.summary);
  text += fmt::format("  {:<10} {}\n", "help", "this text, or `mpq help COMMAND`, or `mpq help TOPIC`");
  text += "\nTopics:\n";
  for (const Topic& topic : topic_table()) text += fmt::format("  {:<10} {}\n", topic.name, topic.summary);
  return text +
         "\nOptions:\n"
         "  -h, --help     this text\n"
         "      --version  the version\n\n"
         "Exit codes: 0 ok, 1 internal error, 2 usage, 3 invalid model or data,\n"
         "4 unsupported, 5 budget infeasible, 6 quality gate failed, 7 output cannot be\n"
         "written, 130 interrupted.\n";
}

std::string command_help(const Command& command) {
  std::string text =
      fmt::format("mpq {}: {}\n\nExamples:\n{}\n", command.name, command.summary, example_lines(command, 2));
  text += fmt::format("Usage: mpq {} {}{} [OPTIONS]\n\n{}\n", command.name, fmt::join(command.positionals, " "),
                      command.several ? "..." : "", wrapped(command.details, 0));
  for (const OptionGroup& group : option_groups()) text += option_group(command, group.group, group.heading);
  text += '\n' + wrapped(kPrecedence, 0) + '\n';
  return text;
}

}  // namespace mpq::cli
