#include "analyze/cost.h"

#include <ctime>

namespace mpq::perturb {

double thread_seconds() {
  std::timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void CostMeter::add(double seconds, double fit_seconds, std::int64_t runs) {
  const std::lock_guard lock(mutex_);
  seconds_ += seconds;
  fit_seconds_ += fit_seconds;
  runs_ += runs;
}

}  // namespace mpq::perturb
