#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "mpq/observer.h"

#include "console.h"

namespace mpq::cli {

/// Shows a stage's progress: a bar with the time left on a terminal, else a line per 10 % or 30 s.
/// Collects the warnings for the run record.
class ProgressObserver : public Observer {
 public:
  ProgressObserver(Console& console, const Settings& settings);
  ~ProgressObserver() override;
  ProgressObserver(const ProgressObserver&) = delete;
  ProgressObserver& operator=(const ProgressObserver&) = delete;

  void progress(const std::string& stage, double done, double total, const std::string& item) override;
  void warn(const std::string& message, const std::string& hint) override;
  void note(const std::string& message) override { console_.note(message); }
  bool cancelled() const override;

  std::vector<std::string> warnings() const;

 private:
  using Clock = std::chrono::steady_clock;
  void show_bar(double fraction, const std::string& item, Clock::time_point now);
  void show_line(double fraction, const std::string& item, Clock::time_point now);
  std::string time_left(double fraction, Clock::time_point now) const;

  Console& console_;
  bool enabled_, patient_, bar_;
  mutable std::mutex mutex_;
  std::string stage_;
  Clock::time_point begin_, last_;
  double begin_fraction_ = 0, last_fraction_ = 0;
  std::vector<std::string> warnings_;
};

}  // namespace mpq::cli
