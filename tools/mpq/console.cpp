#include "console.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include "mpq/text.h"

namespace mpq::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

/// Tests set MPQ_FAKE_TTY=1 to see what a terminal would show.
bool is_terminal(int fd) { return environment("MPQ_FAKE_TTY") == "1" || isatty(fd) == 1; }

bool wants_color(const std::string& choice, bool terminal) {
  if (choice != "auto") return choice == "always";
  return terminal && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
}

/// The first of the locale variables that is set decides, as in setlocale(3).
bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value = environment(name);
    if (value.empty()) continue;
    std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) { return std::tolower(c); });
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

int terminal_width() {
  constexpr int kDefault = 100, kLeast = 60, kMost = 160;
  winsize size{};
  int columns = 0;
  if (isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) columns = size.ws_col;
  if (columns == 0 && environment("MPQ_FAKE_TTY") == "1") columns = std::atoi(environment("COLUMNS").c_str());
  return columns == 0 ? kDefault : std::clamp(columns, kLeast, kMost);
}

std::string painted(const char* code, const std::string& text, bool color) {
  return color ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

std::shared_ptr<spdlog::logger> open_log(const std::string& path) {
  if (path.empty()) return nullptr;
  // spdlog would create missing folders; a mistyped path should be said instead.
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty() && !std::filesystem::is_directory(folder, error)) {
    throw Error(ErrorCode::kOutput, fmt::format("There is no folder {}.", folder.string()), path,
                "Create it, or choose another place with --log-file.");
  }
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
    auto logger = std::make_shared<spdlog::logger>("mpq", std::move(sink));
    logger->set_level(spdlog::level::debug);
    logger->flush_on(spdlog::level::debug);
    return logger;
  } catch (const spdlog::spdlog_ex&) {
    throw Error(ErrorCode::kOutput, "The log file cannot be opened.", path,
                "Check that its folder exists and is writable.");
  }
}

}  // namespace

Console::Console(const Settings& settings)
    : quiet_(settings.quiet),
      verbose_(settings.verbose),
      color_stdout_(wants_color(settings.color, is_terminal(STDOUT_FILENO))),
      color_stderr_(wants_color(settings.color, is_terminal(STDERR_FILENO))),
      stderr_terminal_(is_terminal(STDERR_FILENO)),
      unicode_(locale_is_utf8()),
      width_(terminal_width()),
      file_(open_log(settings.log_file)) {}

void Console::result(const std::string& text) {
  status("");
  const std::lock_guard lock(mutex_);
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) {
    throw Error(ErrorCode::kOutput, fmt::format("The result cannot be written: {}.", std::strerror(errno)), "stdout");
  }
}

void Console::line(const std::string& text) {
  if (status_shown_) std::fputs("\r\x1b[K", stderr);
  status_shown_ = false;
  std::fputs((text + '\n').c_str(), stderr);
  std::fflush(stderr);
}

void Console::log(int level, const std::string& text) {
  if (file_) file_->log(static_cast<spdlog::level::level_enum>(level), text);
}

void Console::say(const std::string& message) {
  const std::lock_guard lock(mutex_);
  log(spdlog::level::info, message);
  if (!quiet_) line(printable(message));
}

void Console::note(const std::string& message) {
  const std::lock_guard lock(mutex_);
  log(spdlog::level::debug, message);
  if (verbose_ && !quiet_) line(painted("2", printable(message), color_stderr_));
}

void Console::warn(const std::string& message, const std::string& hint) {
  const std::lock_guard lock(mutex_);
  log(spdlog::level::warn, hint.empty() ? message : message + " " + hint);
  if (quiet_) return;
  line(painted("33", "warning: ", color_stderr_) + printable(message));
  if (!hint.empty()) line("  " + printable(hint));
}

void Console::status(const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (text.empty() && !status_shown_) return;
  std::fputs(("\r\x1b[K" + printable(text)).c_str(), stderr);
  std::fflush(stderr);
  status_shown_ = !text.empty();
}

void print_error(const Error& error, bool color) {
  const std::string where = error.where().empty() ? "" : printable(error.where()) + ": ";
  std::string text = painted("1;31", "error: ", color) + where + printable(error.what()) + '\n';
  if (!error.hint().empty()) text += "  " + printable(error.hint()) + '\n';
  std::fputs(text.c_str(), stderr);
}

}  // namespace mpq::cli
