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

/// The model that a section such as [quantize.resnet50] is for; empty for a section of the command itself.
std::string model_of(const CLI::ConfigItem& item) {
  if (item.parents.size() < 2) return "";
  // Names may hold dots, which TOML takes for more levels.
  std::string name = fmt::format("{}", fmt::join(item.parents.begin() + 1, item.parents.end(), "."));
  if (name.size() > 1 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
  return name;
}

void check_section(const CLI::ConfigItem& item, const std::string& path) {
  std::vector<std::string> names;
  for (const Command& command : command_table()) names.emplace_back(command.name);
  const Command* command = find_command(item.parents[0]);
  if (command == nullptr || (item.parents.size() > 1 && !command->several)) {
    reject_name(fmt::format("{}", fmt::join(item.parents, ".")), path, "command for the section", names);
  }
}

/// The part of a file that speaks to one command, or of it to one model.
struct Section {
  bool of_command = true;  ///< false: the top of the file
  std::string model;
};

bool speaks_to(const CLI::ConfigItem& item, const Command& command, const Section& section) {
  if (item.parents.empty()) return !section.of_command;
  return section.of_command && item.parents[0] == command.name && model_of(item) == section.model;
}

/// Sets what the section holds and `set` does not name yet; returns the names.
std::set<std::string> apply_section(const Command& command, const Section& section, const std::string& path,
                                    const std::set<std::string>& set, Settings& settings) {
  std::vector<std::string> names;
  for (const Option& option : option_table()) names.emplace_back(option.name);
  std::set<std::string> here;
  for (const CLI::ConfigItem& item : read_items(path)) {
    if (item.name == "++" || item.name == "--") continue;  // CLI11's marks of a section's begin and end
    if (!item.parents.empty()) check_section(item, path);
    if (!speaks_to(item, command, section)) continue;
    if (find_option(item.name) == nullptr) reject_name(item.name, path, "option", names);
    const Option* option = find_option(item.name, command.bit);
    if (option == nullptr || set.count(item.name) != 0) continue;
    if (!here.insert(item.name).second)
      throw Error(ErrorCode::kUsage, fmt::format("\"{}\" is set twice.", item.name), path);
    assign(*option, item.inputs, path + ": " + item.name, settings);
  }
  return here;
}

/// The section of the command goes over the top of the file, wherever it stands.
void apply_file(const Command& command, const std::string& path, std::set<std::string>& set, Settings& settings) {
  for (const bool of_command : {true, false}) set.merge(apply_section(command, {of_command, ""}, path, set, settings));
}

}  // namespace

void apply_environment_and_config(const Command& command, std::set<std::string> on_command_line, Settings& settings) {
  apply_environment(command, on_command_line, settings);
  settings.fixed = on_command_line;
  if (!settings.config.empty()) apply_file(command, settings.config, on_command_line, settings);
}

Settings settings_for_model(const Command& command, const Settings& settings, const std::string& model) {
  Settings one = settings;
  one.positionals = {model};
  if (settings.config.empty()) return one;
  std::string name = std::filesystem::path(model).filename().string();
  if (name.ends_with(".onnx")) name.erase(name.size() - 5);
  apply_section(command, {true, name}, settings.config, settings.fixed, one);
  return one;
}

std::string config_text(const Command& command, const Settings& settings) {
  const auto quoted = [](const std::string& text) {
    std::string result = "\"";
    for (const char c : text) result += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return result + '"';
  };
  std::string text = fmt::format("[{}]\n", command.name);
  std::set<std::string> told;
  for (const auto& [name, value] : settings.given) {
    const Option* option = find_option(name, command.bit);
    if (option == nullptr || name == "config" || name == "print-config" || !told.insert(name).second) continue;
    if (const auto* list = std::get_if<std::vector<std::string> Settings::*>(&option->target)) {
      std::vector<std::string> values;
      for (const std::string& item : settings.*(*list)) values.push_back(quoted(item));
      text += fmt::format("{} = [{}]\n", name, fmt::join(values, ", "));
    } else {
      text += fmt::format("{} = {}\n", name, option->is_flag() ? value : quoted(value));
    }
  }
  return text;
}

}  // namespace mpq::cli
