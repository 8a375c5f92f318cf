#include "portable.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "mpq/error.h"

namespace mpq::cli {

namespace {

// 255 * 64 * 2 = 32640 is the largest sum of two products that int16 holds: unsigned activations, weights of 7 bits.
constexpr int kTooWide = 8;
constexpr const char* kOption = "--portable";

Error conflict(const std::string& asked, const std::string& hint) {
  return Error(ErrorCode::kUsage, fmt::format("Stored integers are to stay within 7 bits, and {}.", asked), kOption,
               hint);
}

Error rows_conflict(const std::string& origin) {
  return Error(ErrorCode::kUsage,
               fmt::format("{} asks for widths of rows, which ONNX Runtime up to 1.23 refuses.", origin), kOption,
               "Leave the rows out, or --portable.");
}

}  // namespace

void make_portable(const Settings& settings, AnalyzeOptions& options) {
  if (!settings.portable) return;
  if (!settings.bits.empty() && std::count(options.bits.begin(), options.bits.end(), kTooWide) > 0) {
    throw conflict(fmt::format("--bits {} asks for 8", settings.bits), "Leave the 8 out, or --portable.");
  }
  if (!settings.forms.empty() && std::count(options.forms.begin(), options.forms.end(), "trellis") > 0) {
    throw conflict("the entries of trellises have 8", "Leave trellis out of --forms, or --portable.");
  }
  if (std::count(options.forms.begin(), options.forms.end(), "rows") > 0) {
    throw rows_conflict("--forms " + settings.forms);
  }
  std::erase(options.bits, kTooWide);
  options.portable = true;
}

void check_portable(const Settings& settings, const AllocateOptions& options) {
  if (!settings.portable) return;
  for (const Override& each : options.overrides) {
    const bool wide = each.candidate.form == "grid" && each.candidate.bits >= kTooWide;
    if (each.candidate.has_row_widths()) throw rows_conflict(each.origin);
    if (!wide && !each.candidate.is_trellis()) continue;
    throw conflict(fmt::format("{} asks for {}", each.origin, to_string(each.candidate)),
                   "Give these layers 7bit, half or float, or leave --portable out.");
  }
}

}  // namespace mpq::cli
