#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "mpq/error.h"

#include "commands.h"
#include "man.h"
#include "suggest.h"
#include "topics.h"

// Completions for three shells, from the tables that the command line and the help are made from.

namespace mpq::cli {
namespace {

std::vector<const Option*> options_of(const Command& command) {
  std::vector<const Option*> result;
  for (const Option& option : option_table()) {
    if ((option.commands & command.bit) != 0) result.push_back(&option);
  }
  return result;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& command : command_table()) names.emplace_back(command.name);
  names.emplace_back("help");
  return names;
}

/// What `mpq help` explains.
std::vector<std::string> help_names() {
  std::vector<std::string> names = command_names();
  for (const Topic& topic : topic_table()) names.emplace_back(topic.name);
  return names;
}

/// The words that may stand as the argument of a command; empty where it is a file.
std::vector<std::string> argument_words(const Command& command) {
  if (command.bit == kCompletion) return {"bash", "zsh", "fish"};
  return command.bit == kMan ? manual_names() : std::vector<std::string>{};
}

/// `text` without the characters in `special`, each behind `escape`.
std::string escaped(const std::string& text, const std::string& special, const std::string& escape) {
  std::string result;
  for (const char c : text) {
    if (special.find(c) != std::string::npos) result += escape;
    result += c;
  }
  return result;
}

/// Inside '...' of a POSIX shell.
std::string quoted(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result;
}

/// --layer, --keep, --what-if and --min-bits: patterns of layer names.
bool takes_layer(const Option& option) {
  return option.is_list() && std::string_view(option.value).find("GLOB") != std::string_view::npos;
}

/// 'GLOB=4bit': a form follows the name.
const char* after_layer(const Option& option) {
  return std::string_view(option.value).find('=') != std::string_view::npos ? "=" : "";
}

// Print the layers of the model or record $word in any of the shells. Names come from files: only those of harmless
// characters pass, as bash expands the words it completes with.
constexpr const char* kModelLayers =
    "mpq inspect \"$word\" --json -q 2>/dev/null | sed -n '/^  \"layers\"/,/^  \\]/ s/^      \"name\": "
    "\"\\([A-Za-z0-9_.:/-]*\\)\",$/\\1/p'";
constexpr const char* kRecordLayers =
    "mpq report \"$word\" --format csv -q 2>/dev/null | sed -n '2,$ s/^\\([A-Za-z0-9_.:/-]*\\),.*/\\1/p' | uniq";

/// The function of bash and zsh that prints the layers of the first model or record among the words of the line.
std::string layers_function(const char* words) {
  return fmt::format(
      "_mpq_layers() {{\n    local word\n    for word in \"{}\"; do\n        case $word in\n"
      "        *.onnx) {}; return ;;\n        *.json) {}; return ;;\n        esac\n    done\n}}\n",
      words, kModelLayers, kRecordLayers);
}

std::string bash_command(const Command& command) {
  std::vector<std::string> words = argument_words(command);
  std::string values;
  for (const Option* option : options_of(command)) {
    words.push_back(std::string("--") + option->name);
    const auto allowed = allowed_values(*option);
    if (!allowed.empty())
      values += fmt::format("        {}:--{}) words='{}' ;;\n", command.name, option->name, fmt::join(allowed, " "));
    else if (takes_layer(*option))
      values += fmt::format("        {}:--{}) words=$(_mpq_layers) ;;\n", command.name, option->name);
    else if (!option->is_flag())
      values += fmt::format("        {}:--{}) words='' files=1 ;;\n", command.name, option->name);
  }
  return values + fmt::format("        {}:*) words='{}' plain=1 ;;\n", command.name, fmt::join(words, " "));
}

std::string bash() {
  std::string text = "# bash completion for mpq\n" + layers_function("${COMP_WORDS[@]}");
  text +=
      "_mpq() {\n    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
      "    local words= files= plain=\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n";
  text += fmt::format("        COMPREPLY=($(compgen -W '{}' -- \"$cur\"))\n        return\n    fi\n",
                      fmt::join(command_names(), " "));
  text += "    case ${COMP_WORDS[1]}:$prev in\n";
  for (const Command& command : command_table()) text += bash_command(command);
  text += fmt::format("        help:*) words='{}' ;;\n    esac\n", fmt::join(help_names(), " "));
  return text +
         "    if [ -n \"$files\" ]; then\n        COMPREPLY=($(compgen -f -- \"$cur\"))\n        return\n    fi\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "    [ -n \"$plain\" ] || return\n"
         "    case $cur in -*) ;; *) COMPREPLY+=($(compgen -f -- \"$cur\")) ;; esac\n}\n"
         "complete -o filenames -F _mpq mpq\n";
}

/// What zsh completes the value of an option with.
std::string zsh_value(const Option& option) {
  const auto allowed = allowed_values(option);
  if (!allowed.empty()) return fmt::format("({})", fmt::join(allowed, " "));
  return takes_layer(option) ? fmt::format("{{_mpq_add_layers \"{}\"}}", after_layer(option)) : "_files";
}

std::string zsh_option(const Option& option) {
  const std::string help = quoted(escaped(option.help, "[]:\\", "\\"));
  std::string text = fmt::format("      '{}--{}[{}]", option.is_list() ? "*" : "", option.name, help);
  if (!option.is_flag()) text += fmt::format(":value:{}", zsh_value(option));
  return text + "' \\\n";
}

std::string zsh() {
  std::string text = "#compdef mpq\n" + layers_function("${(Q)words[@]}");
  text +=
      "_mpq_add_layers() {\n  local -a names=(${(f)\"$(_mpq_layers)\"})\n  compadd -S \"${1:- }\" -a names\n}\n"
      "_mpq() {\n  if (( CURRENT == 2 )); then\n    local -a commands=(\n";
  for (const Command& command : command_table())
    text += fmt::format("      '{}:{}'\n", command.name, quoted(escaped(command.summary, ":", "\\")));
  text +=
      "      'help:explains a command or a topic'\n    )\n    _describe command commands\n    return\n  fi\n"
      "  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n";
  for (const Command& command : command_table()) {
    text += fmt::format("    {})\n      _arguments -s \\\n", command.name);
    for (const Option* option : options_of(command)) text += zsh_option(*option);
    const auto words = argument_words(command);
    text += words.empty() ? "      '*:file:_files'\n      ;;\n"
                          : fmt::format("      ':argument:({})'\n      ;;\n", fmt::join(words, " "));
  }
  text += fmt::format("    help)\n      _arguments ':topic:({})'\n      ;;\n", fmt::join(help_names(), " "));
  return text + "  esac\n}\nif [ \"$funcstack[1]\" = _mpq ]; then _mpq \"$@\"; else compdef _mpq mpq; fi\n";
}

/// Inside '...' of fish, where a backslash escapes.
std::string fish_quoted(const std::string& text) { return escaped(text, "\\'", "\\"); }

std::string fish_option(const Command& command, const Option& option) {
  std::string text =
      fmt::format("complete -c mpq -n '__fish_seen_subcommand_from {}' -l {}", command.name, option.name);
  if (option.letter != 0) text += fmt::format(" -s {}", option.letter);
  const auto allowed = allowed_values(option);
  if (!allowed.empty())
    text += fmt::format(" -x -a '{}'", fmt::join(allowed, " "));
  else if (takes_layer(option))
    text += fmt::format(" -x -a '(__mpq_layers \"{}\")'", after_layer(option));
  else if (!option.is_flag())
    text += " -r";
  return text + fmt::format(" -d '{}'\n", fish_quoted(option.help));
}

std::string fish() {
  std::string text = fmt::format(
      "# fish completion for mpq\nfunction __mpq_layer_names\n    for word in (commandline -op)\n        switch $word\n"
      "            case '*.onnx'\n                {}\n                return\n            case '*.json'\n"
      "                {}\n                return\n        end\n    end\nend\n"
      "function __mpq_layers\n    for name in (__mpq_layer_names)\n        echo $name$argv[1]\n    end\nend\n",
      kModelLayers, kRecordLayers);
  for (const Command& command : command_table())
    text += fmt::format("complete -c mpq -n __fish_use_subcommand -a {} -d '{}'\n", command.name,
                        fish_quoted(command.summary));
  text += "complete -c mpq -n __fish_use_subcommand -a help -d 'explains a command or a topic'\n";
  for (const Command& command : command_table()) {
    for (const Option* option : options_of(command)) text += fish_option(command, *option);
    const auto words = argument_words(command);
    if (!words.empty())
      text += fmt::format("complete -c mpq -n '__fish_seen_subcommand_from {}' -f -a '{}'\n", command.name,
                          fmt::join(words, " "));
  }
  return text + fmt::format("complete -c mpq -n '__fish_seen_subcommand_from help' -f -a '{}'\n",
                            fmt::join(help_names(), " "));
}

}  // namespace

int run_completion(const Settings& settings, Console& console) {
  const std::string& shell = settings.positionals[0];
  if (shell == "bash") {
    console.result(bash());
  } else if (shell == "zsh") {
    console.result(zsh());
  } else if (shell == "fish") {
    console.result(fish());
  } else {
    throw Error(ErrorCode::kUsage, fmt::format("There are no completions for \"{}\".", shell), "mpq completion",
                "The shells are bash, zsh and fish.");
  }
  return 0;
}

}  // namespace mpq::cli
