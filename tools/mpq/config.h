#pragma once

#include <set>
#include <string>

#include "commands.h"

namespace mpq::cli {

/// Fills in what the command line left open: first from the environment (MPQ_*), then from the file that --config or
/// MPQ_CONFIG names. `on_command_line` holds the names of the options given there. Throws Error{kUsage}.
void apply_environment_and_config(const Command& command, std::set<std::string> on_command_line, Settings& settings);

/// What is set, by whatever means, as a configuration file that sets the same.
std::string config_text(const Command& command, const Settings& settings);

/// The settings for one of several models: what the file says under [COMMAND.NAME] (NAME being the model's file name
/// without .onnx) goes over what it says under [COMMAND]. Throws Error{kUsage}.
Settings settings_for_model(const Command& command, const Settings& settings, const std::string& model);

}  // namespace mpq::cli
