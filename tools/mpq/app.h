#pragma once

namespace mpq::cli {

/// The whole tool: reads the command line, runs one command and returns the process's exit code (docs/cli.md).
int run(int argc, char** argv);

}  // namespace mpq::cli
