#include "analyze/cost.h"

namespace mpq::perturb {

void CostMeter::add(double seconds, double fit_seconds, std::int64_t runs) {
  const std::lock_guard lock(mutex_);
  seconds_ += seconds;
  fit_seconds_ += fit_seconds;
  runs_ += runs;
}

}  // namespace mpq::perturb
