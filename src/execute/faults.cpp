#include "execute/faults.h"

#include <chrono>
#include <thread>
#include <utility>

namespace mpq::executing {
namespace {

class FaultySubnet : public Subnet {
 public:
  FaultySubnet(std::unique_ptr<Subnet> inner, std::shared_ptr<FaultyProcessor> processor)
      : inner_(std::move(inner)), processor_(std::move(processor)) {}

  std::vector<Value> run(const std::vector<Value>& inputs) override {
    processor_->before_run();
    return inner_->run(inputs);
  }

 private:
  std::unique_ptr<Subnet> inner_;
  std::shared_ptr<FaultyProcessor> processor_;
};

}  // namespace

void FaultyProcessor::before_run() {
  const std::int64_t run = runs_++;
  for (const InjectedFault& fault : faults_) {
    if (fault.kind == InjectedFault::Kind::kDelay) {
      std::this_thread::sleep_for(std::chrono::duration<double>(fault.seconds));
      continue;
    }
    const bool once = fault.kind != InjectedFault::Kind::kDie && !fault.always;
    if (run < fault.after_runs || (once && run > fault.after_runs)) continue;
    if (fault.kind == InjectedFault::Kind::kFail) throw std::runtime_error("An injected failure of " + fault.processor + ".");
    if (fault.kind == InjectedFault::Kind::kDie) throw ProcessorLost("An injected death of " + fault.processor + ".");
    std::unique_lock lock(mutex_);
    released_changed_.wait(lock, [&] { return released_; });
    throw ProcessorLost("An injected stall of " + fault.processor + ".");
  }
}

void FaultyProcessor::release() {
  const std::lock_guard lock(mutex_);
  released_ = true;
  released_changed_.notify_all();
}

std::unique_ptr<Subnet> with_faults(std::unique_ptr<Subnet> inner, std::shared_ptr<FaultyProcessor> processor) {
  return std::make_unique<FaultySubnet>(std::move(inner), std::move(processor));
}

}  // namespace mpq::executing
