#include "runtime/outputs.h"

#include <algorithm>

#include "mpq/error.h"

#include "support/text.h"

namespace mpq::runtime {
namespace {

bool is_floating(DType type) {
  return type == DType::kFloat32 || type == DType::kFloat64 || type == DType::kFloat16 || type == DType::kBFloat16;
}

[[noreturn]] void refuse(const std::string& glob, const std::vector<std::string>& all, const std::string& origin) {
  throw Error(ErrorCode::kUsage,
              "No output of the model matches \"" + glob + "\"; its outputs are " + join(all, ", ") + ".", origin);
}

void apply(const OutputRole& role, const std::vector<std::string>& all, std::vector<MeasuredOutput>& measured) {
  const auto matches = [&](const std::string& name) { return glob_match(role.glob, name); };
  if (std::none_of(all.begin(), all.end(), matches)) refuse(role.glob, all, role.origin);
  for (MeasuredOutput& output : measured) {
    if (!matches(output.name)) continue;
    if (role.weight) output.weight = *role.weight;
    if (!role.kind.empty()) output.kind = parse_output_kind(role.kind);
  }
}

}  // namespace

std::vector<MeasuredOutput> measured_outputs(const std::vector<ValueInfo>& outputs, const std::string& glob,
                                             const std::vector<OutputRole>& roles) {
  std::vector<std::string> all;
  std::vector<MeasuredOutput> matching, floating;
  for (const ValueInfo& output : outputs) {
    all.push_back(output.name);
    if (!glob.empty() && !glob_match(glob, output.name)) continue;
    matching.push_back({output.name, 1, std::nullopt});
    if (is_floating(output.dtype)) floating.push_back(matching.back());
  }
  if (matching.empty()) refuse(glob, all, "--outputs");
  std::vector<MeasuredOutput> measured = floating.empty() ? matching : floating;
  for (const OutputRole& role : roles) apply(role, all, measured);
  std::erase_if(measured, [](const MeasuredOutput& output) { return output.weight == 0; });
  if (measured.empty()) {
    throw Error(ErrorCode::kUsage, "Every output has the weight 0; no damage could be measured.", "--output-weight",
                "Give one of them a weight.");
  }
  return measured;
}

graph::OpenExtents open_extents_in_force(const Model& model, const std::string& glob,
                                         const std::vector<OutputRole>& roles) {
  return glob.empty() && roles.empty() ? graph::open_extents(model) : graph::OpenExtents{};
}

std::vector<MeasuredOutput> measured_values(const Model& model, const std::string& glob,
                                            const std::vector<OutputRole>& roles) {
  return measured_values(model, open_extents_in_force(model, glob, roles), glob, roles);
}

std::vector<MeasuredOutput> measured_values(const Model& model, const graph::OpenExtents& open, const std::string& glob,
                                            const std::vector<OutputRole>& roles) {
  std::vector<MeasuredOutput> measured = measured_outputs(model.outputs(), glob, roles);
  const auto erased = std::erase_if(measured, [&](const MeasuredOutput& output) {
    return std::find(open.outputs.begin(), open.outputs.end(), output.name) != open.outputs.end();
  });
  if (erased == 0) return measured;
  for (const ValueInfo& value : open.settled) measured.push_back({value.name, 1, OutputKind::kTensor});
  return measured;
}

double output_damage(const std::string& metric, OutputKind kind, const Tensor& reference, const Tensor& changed,
                     double reference_energy) {
  if (reference.shape() != changed.shape()) return 1;
  return reference.size() == 0 ? 0 : sample_damage(metric, kind, reference, changed, reference_energy);
}

}  // namespace mpq::runtime
