#pragma once

#include <cstdint>
#include <string>

namespace mpq {

/// What a long stage tells its caller. The library never logs or prints: it calls an Observer.
/// All methods may be called from worker threads; implementations must be thread safe.
class Observer {
 public:
  virtual ~Observer() = default;

  /// `done` of `total` units of `stage` ("analyze", "quantize", ...) are finished; `item` is what is worked on now.
  virtual void progress(const std::string& stage, double done, double total, const std::string& item) {
    (void)stage, (void)done, (void)total, (void)item;
  }
  /// Something the user should know, and what cures it (`hint` may be empty).
  virtual void warn(const std::string& message, const std::string& hint) { (void)message, (void)hint; }
  /// Detail for `-v`.
  virtual void note(const std::string& message) { (void)message; }
  /// Polled between units of work. When true the stage keeps what is done and throws Error{kInterrupted}.
  virtual bool cancelled() const { return false; }
};

/// An observer that ignores everything.
Observer& silent_observer();

}  // namespace mpq
