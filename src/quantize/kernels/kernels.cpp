#include "quantize/kernels/kernels.h"

#include <vector>

namespace mpq::quant::kernels {

namespace {

std::vector<const Kernels*> runnable() {
  std::vector<const Kernels*> found{&kGeneric};
#ifdef MPQ_KERNELS_X86
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) found.push_back(&kAvx2);
  if (__builtin_cpu_supports("avx512f") != 0) found.push_back(&kAvx512);
#endif
  return found;
}

const std::vector<const Kernels*>& all() {
  static const std::vector<const Kernels*> found = runnable();
  return found;
}

}  // namespace

const Kernels& best() { return *all().back(); }
std::size_t count() { return all().size(); }
const Kernels& at(std::size_t index) { return *all()[index]; }

}  // namespace mpq::quant::kernels
