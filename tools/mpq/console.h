#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "mpq/error.h"

#include "options.h"

namespace spdlog {
class logger;
}

namespace mpq::cli {

/// The two streams: stdout carries the result, stderr everything else. Thread safe.
class Console {
 public:
  /// Throws Error{kOutput} when the log file cannot be opened.
  explicit Console(const Settings& settings);

  /// The result, on stdout. Throws Error{kOutput} when stdout cannot take it (a full disk behind a redirection).
  void result(const std::string& text);
  void say(const std::string& message);   ///< stderr, unless -q
  void note(const std::string& message);  ///< stderr, with -v
  void warn(const std::string& message, const std::string& hint);

  /// A line at the bottom of the terminal that later lines push down; "" removes it.
  void status(const std::string& text);

  bool quiet() const { return quiet_; }
  bool verbose() const { return verbose_; }
  bool color_on_stdout() const { return color_stdout_; }
  bool color_on_stderr() const { return color_stderr_; }
  bool stderr_is_terminal() const { return stderr_terminal_; }
  bool unicode() const { return unicode_; }
  int width() const { return width_; }

 private:
  void line(const std::string& text);
  void log(int level, const std::string& text);

  bool quiet_, verbose_, color_stdout_, color_stderr_, stderr_terminal_, unicode_;
  int width_;
  bool status_shown_ = false;
  std::mutex mutex_;
  std::shared_ptr<spdlog::logger> file_;
};

/// "error: where: what" and the hint below it, on stderr; works before there is a Console.
void print_error(const Error& error, bool color);

}  // namespace mpq::cli
