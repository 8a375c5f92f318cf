#include "runtime/outputs.h"

#include "mpq/error.h"

#include "support/text.h"

namespace mpq::runtime {
namespace {

bool is_floating(DType type) {
  return type == DType::kFloat32 || type == DType::kFloat64 || type == DType::kFloat16 || type == DType::kBFloat16;
}

}  // namespace

std::vector<std::string> measured_outputs(const std::vector<ValueInfo>& outputs, const std::string& glob) {
  std::vector<std::string> all, matching, floating;
  for (const ValueInfo& output : outputs) {
    all.push_back(output.name);
    if (!glob.empty() && !glob_match(glob, output.name)) continue;
    matching.push_back(output.name);
    if (is_floating(output.dtype)) floating.push_back(output.name);
  }
  if (matching.empty()) {
    throw Error(ErrorCode::kUsage,
                "No output of the model matches \"" + glob + "\"; its outputs are " + join(all, ", ") + ".",
                "--outputs");
  }
  return floating.empty() ? matching : floating;
}

double output_damage(const std::string& metric, OutputKind kind, const Tensor& reference, const Tensor& changed,
                     double reference_energy) {
  if (reference.shape() != changed.shape()) return 1;
  return reference.size() == 0 ? 0 : sample_damage(metric, kind, reference, changed, reference_energy);
}

}  // namespace mpq::runtime
