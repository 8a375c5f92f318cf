#include "interrupt.h"

#include <csignal>
#include <string_view>
#include <unistd.h>

namespace mpq::cli {
namespace {

volatile std::sig_atomic_t g_interrupts = 0;

/// Only async-signal-safe calls are allowed here (signal-safety(7)).
void on_signal(int) {
  g_interrupts = g_interrupts + 1;
  constexpr std::string_view kFirst = "\nstopping after the work in hand; press Ctrl-C again to end at once\n";
  if (g_interrupts > 1) _exit(130);
  [[maybe_unused]] const auto written = write(STDERR_FILENO, kFirst.data(), kFirst.size());
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return g_interrupts > 0; }

}  // namespace mpq::cli
