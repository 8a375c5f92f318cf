#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "mpq/error.h"

#include "commands.h"
#include "suggest.h"

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

/// --layer and --keep of a command that has the model on its line.
bool takes_layer(const Command& command, const Option& option) {
  return command.bit == kQuantize && std::string_view(option.value).find("GLOB") != std::string_view::npos &&
         option.is_list();
}

std::string bash_command(const Command& command) {
  std::vector<std::string> words;
  std::string values;
  for (const Option* option : options_of(command)) {
    words.push_back(std::string("--") + option->name);
    const auto allowed = allowed_values(*option);
    if (!allowed.empty())
      values += fmt::format("        {}:--{}) words='{}' ;;\n", command.name, option->name, fmt::join(allowed, " "));
    else if (takes_layer(command, *option))
      values += fmt::format("        {}:--{}) words=$(_mpq_layers) ;;\n", command.name, option->name);
    else if (!option->is_flag())
      values += fmt::format("        {}:--{}) words='' files=1 ;;\n", command.name, option->name);
  }
  if (command.bit == kCompletion) words.insert(words.begin(), {"bash", "zsh", "fish"});
  return values + fmt::format("        {}:*) words='{}' plain=1 ;;\n", command.name, fmt::join(words, " "));
}

/// Prints the layers of the model on the command line, for --layer and --keep. Names come from a file and bash expands
/// the words it completes with, so only names of harmless characters pass.
constexpr const char* kBashLayers =
    "_mpq_layers() {\n    local word\n    for word in \"${COMP_WORDS[@]}\"; do\n        case $word in\n"
    "        *.onnx)\n            mpq inspect \"$word\" --json -q 2>/dev/null |\n"
    "                sed -n '/^  \"layers\"/,/^  \\]/ s/^      \"name\": \"\\([A-Za-z0-9_.:/-]*\\)\",$/\\1/p'\n"
    "            return ;;\n        esac\n    done\n}\n";

std::string bash() {
  std::string text = "# bash completion for mpq\n";
  text += kBashLayers;
  text +=
      "_mpq() {\n    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
      "    local words= files= plain=\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n";
  text += fmt::format("        COMPREPLY=($(compgen -W '{}' -- \"$cur\"))\n        return\n    fi\n",
                      fmt::join(command_names(), " "));
  text += "    case ${COMP_WORDS[1]}:$prev in\n";
  for (const Command& command : command_table()) text += bash_command(command);
  text += fmt::format("        help:*) words='{}' ;;\n    esac\n", fmt::join(command_names(), " "));
  return text +
         "    if [ -n \"$files\" ]; then\n        COMPREPLY=($(compgen -f -- \"$cur\"))\n        return\n    fi\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "    [ -n \"$plain\" ] || return\n"
         "    case $cur in -*) ;; *) COMPREPLY+=($(compgen -f -- \"$cur\")) ;; esac\n}\n"
         "complete -o filenames -F _mpq mpq\n";
}

std::string zsh_option(const Option& option) {
  const std::string help = quoted(escaped(option.help, "[]:\\", "\\"));
  std::string text = fmt::format("      '{}--{}[{}]", option.is_list() ? "*" : "", option.name, help);
  if (option.is_flag()) return text + "' \\\n";
  const auto allowed = allowed_values(option);
  text += ":value:";
  return text + (allowed.empty() ? "_files" : fmt::format("({})", fmt::join(allowed, " "))) + "' \\\n";
}

std::string zsh() {
  std::string text = "#compdef mpq\n_mpq() {\n  if (( CURRENT == 2 )); then\n    local -a commands=(\n";
  for (const Command& command : command_table())
    text += fmt::format("      '{}:{}'\n", command.name, quoted(escaped(command.summary, ":", "\\")));
  text +=
      "    )\n    _describe command commands\n    return\n  fi\n  local command=$words[2]\n  shift words\n"
      "  (( CURRENT-- ))\n  case $command in\n";
  for (const Command& command : command_table()) {
    text += fmt::format("    {})\n      _arguments -s \\\n", command.name);
    for (const Option* option : options_of(command)) text += zsh_option(*option);
    text +=
        command.bit == kCompletion ? "      ':shell:(bash zsh fish)'\n      ;;\n" : "      '*:file:_files'\n      ;;\n";
  }
  return text + "  esac\n}\nif [ \"$funcstack[1]\" = _mpq ]; then _mpq \"$@\"; else compdef _mpq mpq; fi\n";
}

/// Inside '...' of fish, where a backslash escapes.
std::string fish_quoted(const std::string& text) { return escaped(text, "\\'", "\\"); }

std::string fish() {
  std::string text = "# fish completion for mpq\n";
  for (const Command& command : command_table())
    text += fmt::format("complete -c mpq -n __fish_use_subcommand -a {} -d '{}'\n", command.name,
                        fish_quoted(command.summary));
  for (const Command& command : command_table()) {
    for (const Option* option : options_of(command)) {
      text += fmt::format("complete -c mpq -n '__fish_seen_subcommand_from {}' -l {}", command.name, option->name);
      if (option->letter != 0) text += fmt::format(" -s {}", option->letter);
      const auto allowed = allowed_values(*option);
      if (!allowed.empty()) text += fmt::format(" -x -a '{}'", fmt::join(allowed, " "));
      if (allowed.empty() && !option->is_flag()) text += " -r";
      text += fmt::format(" -d '{}'\n", fish_quoted(option->help));
    }
  }
  return text + "complete -c mpq -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n";
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
