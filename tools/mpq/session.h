#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <fmt/format.h>

#include "mpq/mpq.h"

#include "console.h"
#include "options.h"

namespace mpq::cli {

/// Report options for a terminal report on stdout. Long tables are cut unless -v asks for all.
ReportOptions terminal_report(const Settings& settings, const Console& console);

/// Ends a command that makes a record: writes it as JSON to `output` ("-": nowhere) and prints it, as JSON to stdout or
/// with --json, else as `shown`, which people read.
void deliver(const AnyRecord& made, const AnyRecord& shown, const std::string& output, const Settings& settings,
             Console& console);

/// Runs `work`; when it was interrupted, the error says where the progress is kept.
template <typename Work>
auto keeping_progress(const std::string& checkpoint, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInterrupted) throw;
    std::error_code ignored;
    const bool kept = !checkpoint.empty() && std::filesystem::exists(checkpoint, ignored);
    throw Error(ErrorCode::kInterrupted, "Interrupted; no output was written.", {},
                kept ? fmt::format("What is done so far is kept in {}; the same command takes it up again.", checkpoint)
                     : "Nothing was to be kept yet.");
  }
}

}  // namespace mpq::cli
