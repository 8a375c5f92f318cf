#pragma once

#include <string>

#include "commands.h"

namespace mpq::cli {

/// `mpq --help`: the commands.
std::string general_help();
/// `mpq COMMAND --help`: examples first, then every option.
std::string command_help(const Command& command);

}  // namespace mpq::cli
