#pragma once

#include <span>
#include <string>

#include "commands.h"

namespace mpq::cli {

inline constexpr const char* kSummary = "mixed-precision quantization of ONNX models, measured";
inline constexpr const char* kPrecedence =
    "Every option can also be set in the environment (MPQ_BUDGET=6bit for --budget 6bit) or in a TOML file "
    "(budget = \"6bit\"). The command line goes over the environment, the environment over the file.";

/// The examples of a command, cut to the width of a terminal.
std::string example_lines(const Command& command, std::size_t indent);

/// The groups of options, in the order of the help.
struct OptionGroup {
  Option::Group group;
  const char* heading;
};
std::span<const OptionGroup> option_groups();

/// `mpq --help`: the commands.
std::string general_help();
/// `mpq COMMAND --help`: examples first, then every option.
std::string command_help(const Command& command);

}  // namespace mpq::cli
