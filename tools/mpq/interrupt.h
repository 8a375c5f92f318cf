#pragma once

namespace mpq::cli {

/// From now on the first Ctrl-C (or SIGTERM) only sets a flag, so that the work can be put away; the second ends the
/// process at once with exit code 130.
void catch_interrupts();
bool interrupted();

}  // namespace mpq::cli
