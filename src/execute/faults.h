#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "mpq/executor.h"

#include "execute/engine.h"

namespace mpq::executing {

/// What is wrong with one processor, shared by all its subnets.
class FaultyProcessor {
 public:
  explicit FaultyProcessor(std::vector<InjectedFault> faults) : faults_(std::move(faults)) {}

  /// Called before every run: throws, stalls or waits, as the faults say.
  void before_run();
  /// Lets stalled runs go on.
  void release();

 private:
  std::vector<InjectedFault> faults_;
  std::atomic<std::int64_t> runs_{0};
  std::mutex mutex_;
  std::condition_variable released_changed_;
  bool released_ = false;
};

/// `inner` on a processor that misbehaves.
std::unique_ptr<Subnet> with_faults(std::unique_ptr<Subnet> inner, std::shared_ptr<FaultyProcessor> processor);

}  // namespace mpq::executing
