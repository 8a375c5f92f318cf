#include "app.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <vector>
#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "mpq/version.h"

#include "commands.h"
#include "config.h"
#include "console.h"
#include "help.h"
#include "suggest.h"
#include "topics.h"

namespace mpq::cli {
namespace {

Error usage_error(const std::string& what, const std::string& hint) { return Error(ErrorCode::kUsage, what, {}, hint); }

std::string help_hint(const Command& command) {
  return fmt::format("`mpq {} --help` shows every option.", command.name);
}

/// CLI11's view of one command: it splits the words; the table in options.cpp knows what they mean.
struct Parser {
  CLI::App app;
  std::map<std::string, CLI::Option*> options;
  std::vector<CLI::Option*> positionals;

  explicit Parser(const Command& command) : app("", std::string("mpq ") + command.name) {
    app.set_help_flag();
    app.allow_extras();
    for (const Option& option : option_table()) {
      if ((option.commands & command.bit) == 0) continue;
      std::string names = std::string("--") + option.name;
      if (option.letter != 0) names = fmt::format("-{},{}", option.letter, names);
      CLI::Option* added = option.is_flag() ? app.add_flag(names) : app.add_option(names);
      if (!option.is_flag()) added->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      options[option.name] = added;
    }
    for (const char* name : command.positionals) positionals.push_back(app.add_option(name));
    if (command.several) positionals.back()->allow_extra_args()->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
};

void reject_extras(const Command& command, const std::vector<std::string>& extras) {
  if (extras.empty()) return;
  std::vector<std::string> known;
  for (const Option& option : option_table()) {
    if ((option.commands & command.bit) != 0) known.push_back(std::string("--") + option.name);
  }
  for (const std::string& extra : extras) {
    if (extra.size() < 2 || extra[0] != '-') continue;
    const std::string name = extra.substr(0, extra.find('='));
    if (find_option(name.substr(2)) != nullptr && name.substr(0, 2) == "--") {
      throw usage_error(fmt::format("`mpq {}` does not take {}.", command.name, name), help_hint(command));
    }
    const std::string guess = did_you_mean(name, known);
    throw usage_error(fmt::format("`mpq {}` knows no option {}.", command.name, name),
                      guess.empty() ? help_hint(command) : guess);
  }
  throw usage_error(fmt::format("`mpq {}` takes {} and no further argument; found \"{}\".", command.name,
                                fmt::join(command.positionals, " and "), extras.front()),
                    help_hint(command));
}

/// Reads the words behind the command's name. Throws Error{kUsage}.
Settings parse_command(const Command& command, std::vector<std::string> words) {
  Parser parser(command);
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
  try {
    parser.app.parse(words);
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string name = std::string(error.what()).substr(0, std::string(error.what()).find(':'));
    throw usage_error(fmt::format("{} needs a value.", name), help_hint(command));
  } catch (const CLI::ParseError& error) {
    throw usage_error(fmt::format("{}.", error.what()), help_hint(command));
  }
  Settings settings;
  std::set<std::string> given;
  for (const Option& option : option_table()) {
    if ((option.commands & command.bit) == 0) continue;
    const auto added = parser.options.find(option.name);
    if (added == parser.options.end() || added->second->count() == 0) continue;
    given.insert(option.name);
    const auto values = option.is_flag() ? std::vector<std::string>{"true"} : added->second->results();
    assign(option, values, std::string("--") + option.name, settings);
  }
  if (settings.help) return settings;
  reject_extras(command, parser.app.remaining());
  for (std::size_t i = 0; i < parser.positionals.size(); ++i) {
    if (parser.positionals[i]->count() == 0) {
      throw usage_error(fmt::format("`mpq {}` needs {}.", command.name, command.positionals[i]), help_hint(command));
    }
    for (const std::string& value : parser.positionals[i]->results()) settings.positionals.push_back(value);
  }
  apply_environment_and_config(command, given, settings);
  return settings;
}

int print(const std::string& text) { return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0 ? 0 : 7; }

const Command& command_named(const std::string& name) {
  if (const Command* command = find_command(name)) return *command;
  const std::string hint = "`mpq help` lists the commands.";
  if (name[0] == '-')
    throw usage_error(fmt::format("{} stands where the command should be; options come after it.", name), hint);
  std::vector<std::string> known = {"help"};
  for (const Topic& topic : topic_table()) known.emplace_back(topic.name);
  for (const Command& command : command_table()) known.emplace_back(command.name);
  const std::string guess = did_you_mean(name, known);
  throw usage_error(fmt::format("There is no command \"{}\".", name), guess.empty() ? hint : guess);
}

/// Where memory is limited, what is freed goes back to the system at once. Else it is kept for the next step: the
/// system clears every page it hands out, which took a tenth of the time of a quantization. The C library by itself
/// keeps blocks of up to 32 MiB, once it has seen a few of them.
void choose_what_becomes_of_freed_memory(bool limited) {
#if defined(__GLIBC__)
  constexpr int kLargeBlock = 1 << 20, kHugeBlock = 1 << 28;
  mallopt(M_MMAP_THRESHOLD, limited ? kLargeBlock : kHugeBlock);
  if (!limited) mallopt(M_TRIM_THRESHOLD, kHugeBlock);
#endif
}

int dispatch(const std::vector<std::string>& words, bool& color) {
  if (words.empty()) {
    std::fputs(general_help().c_str(), stderr);
    return static_cast<int>(ErrorCode::kUsage);
  }
  const std::string& first = words[0];
  if (first == "--version" || first == "version") return print(fmt::format("mpq {}\n", version()));
  if (first == "--help" || first == "-h") return print(general_help());
  if (first == "help" && words.size() > 1) {
    if (const Topic* topic = find_topic(words[1])) return print(topic_help(*topic));
    return print(command_help(command_named(words[1])));
  }
  if (first == "help") return print(general_help());
  const Command& command = command_named(first);
  const Settings settings = parse_command(command, {words.begin() + 1, words.end()});
  if (settings.help) return print(command_help(command));
  if (settings.print_config) return print(config_text(command, settings));
  choose_what_becomes_of_freed_memory(!settings.memory_limit.empty());
  Console console(settings);
  color = console.color_on_stderr();
  try {
    return command.run(settings, console);
  } catch (...) {
    console.status("");
    throw;
  }
}

}  // namespace

int run(int argc, char** argv) {
  bool color = false;
  try {
    std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    for (std::string& word : words) {
      if (word.empty()) throw usage_error("One of the arguments is empty.", "`mpq help` lists the commands.");
    }
    return dispatch(words, color);
  } catch (const Error& error) {
    print_error(error, color);
    return static_cast<int>(error.code());
  } catch (const std::bad_alloc&) {
    print_error(Error(ErrorCode::kInternal, "Memory ran out."), color);
  } catch (const std::exception& error) {
    print_error(Error(ErrorCode::kInternal, fmt::format("A bug in mpq: {}", error.what()), {},
                      "Please report it with the command and the output of `mpq inspect --json`."),
                color);
  }
  return static_cast<int>(ErrorCode::kInternal);
}

}  // namespace mpq::cli
