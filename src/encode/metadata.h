#pragma once

#include <string>
#include <utility>
#include <vector>

#include <onnx/onnx_pb.h>

#include "mpq/plan.h"

namespace mpq::encode {

/// The plan as it stands in the model's metadata under "mpq.plan": lines of fields separated by tabs.
///
///   mpq     0.1.0
///   budget  6bit
///   3bit    /layer1/conv    /layer2/conv
///   float   /head/fc
///
/// Backslash, tab and newline in a field are written \\, \t and \n. Layers stand under what they are stored as, which
/// names every candidate once: small models have many layers.
struct PlanText {
  std::string version;
  std::string budget;
  std::vector<std::pair<std::string, std::string>> layers;  ///< layer, candidate
};

inline constexpr const char* kPlanKey = "mpq.plan";

PlanText plan_text_of(const Plan& plan);
std::string write(const PlanText& plan);
/// Lines it does not understand are passed over.
PlanText parse_plan_text(const std::string& text);

/// "" when the model has none.
std::string plan_text(const onnx::ModelProto& model);
void set_plan_text(onnx::ModelProto& model, const std::string& text);

/// Most bytes the metadata entry can take for these layers, whichever of the candidates they get.
std::int64_t plan_entry_bound(const std::vector<std::string>& layers, const std::vector<std::string>& candidates);

}  // namespace mpq::encode
