#pragma once

#include <set>
#include <string>

#include "commands.h"

namespace mpq::cli {

/// Fills in what the command line left open: first from the environment (MPQ_*), then from the file that --config or
/// MPQ_CONFIG names. `on_command_line` holds the names of the options given there. Throws Error{kUsage}.
void apply_environment_and_config(const Command& command, std::set<std::string> on_command_line, Settings& settings);

}  // namespace mpq::cli
