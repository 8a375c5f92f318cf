#include "progress.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "mpq/text.h"

#include "interrupt.h"

namespace mpq::cli {
namespace {

constexpr int kBarCells = 24;

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace

ProgressObserver::ProgressObserver(Console& console, const Settings& settings)
    : console_(console),
      enabled_(settings.progress != "never" && !settings.quiet),
      patient_(settings.progress == "auto"),
      bar_(console.stderr_is_terminal()) {}

ProgressObserver::~ProgressObserver() { console_.status(""); }

void ProgressObserver::progress(const std::string& stage, double done, double total, const std::string& item) {
  if (!enabled_) return;
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  const double fraction = total > 0 ? std::clamp(done / total, 0.0, 1.0) : 0;
  if (stage != stage_) {
    stage_ = stage;
    begin_ = now;
    begin_fraction_ = last_fraction_ = fraction;  // a resumed analysis begins in the middle
    last_ = bar_ ? Clock::time_point{} : now;
  }
  if (bar_) {
    show_bar(fraction, item, now);
  } else {
    show_line(fraction, item, now);
  }
}

std::string ProgressObserver::time_left(double fraction, Clock::time_point now) const {
  const double spent = std::chrono::duration<double>(now - begin_).count();
  const double gained = fraction - begin_fraction_;
  if (spent < 0.5 || gained <= 0.01) return "";
  return clock_text(spent * (1 - fraction) / gained) + " left";
}

void ProgressObserver::show_bar(double fraction, const std::string& item, Clock::time_point now) {
  constexpr auto kRefresh = std::chrono::milliseconds(100);
  if (fraction < 1 && now - last_ < kRefresh) return;
  last_ = now;
  const auto full = static_cast<int>(std::lround(fraction * kBarCells));
  std::string bar;
  for (int i = 0; i < kBarCells; ++i)
    bar += i < full ? (console_.unicode() ? "█" : "#") : (console_.unicode() ? "░" : ".");
  const std::string left = time_left(fraction, now);
  std::string text = fmt::format("{:<9} {} {:3.0f} %", stage_, bar, 100 * fraction);
  if (!left.empty()) text += "  " + left;
  const auto width = static_cast<std::size_t>(console_.width() - 1);
  const std::size_t used = display_width(text) + 2;
  if (!item.empty() && used + 10 < width) text += "  " + shorten_middle(printable(item), width - used);
  console_.status(text);
}

void ProgressObserver::show_line(double fraction, const std::string& item, Clock::time_point now) {
  constexpr auto kPatience = std::chrono::seconds(30);
  const bool next_tenth = std::floor(fraction * 10 + 1e-9) > std::floor(last_fraction_ * 10 + 1e-9);
  // A stage that is over within a second is no news.
  if (patient_ && now - begin_ < std::chrono::seconds(1)) return;
  if (!next_tenth && now - last_ < kPatience) return;
  last_ = now;
  last_fraction_ = fraction;
  std::string text = fmt::format("{}: {:.0f} %", stage_, 100 * fraction);
  const std::string left = fraction < 1 ? time_left(fraction, now) : "";
  if (!left.empty()) text += ", " + left;
  if (!item.empty() && fraction < 1) text += " (" + item + ")";
  console_.say(text);
}

void ProgressObserver::warn(const std::string& message, const std::string& hint) {
  {
    const std::lock_guard lock(mutex_);
    std::string warning = hint.empty() ? message : message + " " + hint;
    if (std::find(warnings_.begin(), warnings_.end(), warning) != warnings_.end()) return;  // every stage may say it
    warnings_.push_back(std::move(warning));
  }
  console_.warn(message, hint);
}

bool ProgressObserver::cancelled() const { return interrupted(); }

std::vector<std::string> ProgressObserver::warnings() const {
  const std::lock_guard lock(mutex_);
  return warnings_;
}

}  // namespace mpq::cli
