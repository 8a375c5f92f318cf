#include "config.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "suggest.h"

namespace mpq::cli {
namespace {

bool belongs(const Option& option, const Command& command) { return (option.commands & command.bit) != 0; }

void apply_environment(const Command& command, std::set<std::string>& set, Settings& settings) {
  for (const Option& option : option_table()) {
    const std::string name = environment_name(option);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0' || !belongs(option, command) || !set.insert(option.name).second) continue;
    assign(option, {value}, name, settings);
  }
}

std::vector<CLI::ConfigItem> read_items(const std::string& path) {
  std::error_code ignored;
  std::ifstream file(path);
  if (!file || std::filesystem::is_directory(path, ignored)) {
    throw Error(ErrorCode::kUsage, "The configuration file cannot be read.", path,
                "Check the path given with --config.");
  }
  try {
    return CLI::ConfigTOML().from_config(file);
  } catch (const CLI::Error& error) {
    throw Error(ErrorCode::kUsage, fmt::format("The configuration file is no TOML: {}.", error.what()), path);
  }
}

[[noreturn]] void reject_name(const std::string& name, const std::string& path, const char* what,
                              const std::vector<std::string>& known) {
  throw Error(ErrorCode::kUsage, fmt::format("There is no {} \"{}\".", what, name), path, did_you_mean(name, known));
}

void check_section(const CLI::ConfigItem& item, const std::string& path) {
  std::vector<std::string> names;
  for (const Command& command : command_table()) names.emplace_back(command.name);
  if (item.parents.size() > 1 || find_command(item.parents[0]) == nullptr) {
    reject_name(fmt::format("{}", fmt::join(item.parents, ".")), path, "command for the section", names);
  }
}

void apply_file(const Command& command, const std::string& path, std::set<std::string>& set, Settings& settings) {
  std::vector<std::string> names;
  for (const Option& option : option_table()) names.emplace_back(option.name);
  const auto items = read_items(path);
  // The section of the command goes over the top of the file, wherever it stands.
  for (const bool in_section : {true, false}) {
    std::set<std::string> here;
    for (const CLI::ConfigItem& item : items) {
      if (item.name == "++" || item.name == "--") continue;  // CLI11's marks of a section's begin and end
      if (!item.parents.empty()) check_section(item, path);
      if (item.parents.empty() == in_section || (in_section && item.parents[0] != command.name)) continue;
      if (find_option(item.name) == nullptr) reject_name(item.name, path, "option", names);
      const Option* option = find_option(item.name, command.bit);
      if (option == nullptr) continue;
      if (set.count(item.name) != 0) continue;
      if (!here.insert(item.name).second) {
        throw Error(ErrorCode::kUsage, fmt::format("\"{}\" is set twice.", item.name), path);
      }
      assign(*option, item.inputs, path + ": " + item.name, settings);
    }
    set.merge(here);
  }
}

}  // namespace

void apply_environment_and_config(const Command& command, std::set<std::string> on_command_line, Settings& settings) {
  apply_environment(command, on_command_line, settings);
  if (!settings.config.empty()) apply_file(command, settings.config, on_command_line, settings);
}

}  // namespace mpq::cli
