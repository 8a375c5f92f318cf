#pragma once

#include <span>
#include <string>
#include <vector>

#include "console.h"
#include "options.h"

namespace mpq::cli {

/// One subcommand: what the help says of it and the function that is it.
struct Command {
  const char* name;
  CommandBit bit;
  std::vector<const char*> positionals;
  const char* summary;   ///< one line, for the list of commands
  const char* examples;  ///< complete command lines, one per line
  const char* details;
  int (*run)(const Settings&, Console&);  ///< returns the exit code; throws mpq::Error
  bool several = false;                   ///< the last positional may be given several times
};

std::span<const Command> command_table();
const Command* find_command(const std::string& name);

int run_quantize(const Settings& settings, Console& console);
int run_inspect(const Settings& settings, Console& console);
int run_analyze(const Settings& settings, Console& console);
int run_merge(const Settings& settings, Console& console);
int run_plan(const Settings& settings, Console& console);
int run_profile(const Settings& settings, Console& console);
int run_run(const Settings& settings, Console& console);
int run_verify(const Settings& settings, Console& console);
int run_report(const Settings& settings, Console& console);
int run_diff(const Settings& settings, Console& console);
int run_check(const Settings& settings, Console& console);
int run_completion(const Settings& settings, Console& console);
int run_man(const Settings& settings, Console& console);

}  // namespace mpq::cli
