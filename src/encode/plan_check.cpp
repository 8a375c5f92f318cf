#include "encode/plan_check.h"

#include <algorithm>
#include <unordered_map>

#include "mpq/error.h"

#include "encode/storage_form.h"
#include "graph/model_impl.h"
#include "quantize/grid.h"

namespace mpq::encode {

namespace {

[[noreturn]] void mismatch(const std::string& what, const std::string& layer) {
  throw Error(ErrorCode::kInvalidInput, what, layer,
              "Use the plan with the model it was made for, or make a new plan with `mpq plan`.");
}

void check_rows(const Model& model, const Layer& layer, const Candidate& candidate) {
  if (!rows_may_differ(layer, model.impl().opset)) {
    mismatch("The plan gives the rows of the layer widths of their own, which this model cannot hold.", layer.name);
  }
  const std::int64_t rows = quant::scale_layout(layer, candidate).scale_count();
  if (static_cast<std::int64_t>(candidate.row_bits.size()) == rows) return;
  mismatch("The plan knows the widths of " + std::to_string(candidate.row_bits.size()) + " rows, and the layer has " +
               std::to_string(rows) + ".",
           layer.name);
}

void check_candidate(const Model& model, const Layer& layer, const Candidate& candidate) {
  const std::string name = to_string(candidate);
  if (candidate.form == "float" || candidate.form == "half") return;
  constexpr int kNarrowest = 2, kWidest = 8, kWidestTrellis = 6;
  const int widest = candidate.is_trellis() ? kWidestTrellis : kWidest;
  const bool blocked_trellis = candidate.is_trellis() && candidate.block != 0;
  if (!candidate.has_scales() || candidate.bits < kNarrowest || candidate.bits > widest || blocked_trellis) {
    mismatch("The plan stores the layer as '" + name + "', a form this version of mpq does not write.", layer.name);
  }
  if (candidate.has_row_widths()) check_rows(model, layer, candidate);
  if (candidate.block == 0) return;
  if (layer.block_axis < 0)
    mismatch("The plan asks for '" + name + "', but the layer has no axis for blocks.", layer.name);
  const std::int64_t extent = layer.shape[static_cast<std::size_t>(layer.block_axis)];
  if (candidate.block < 0 || extent % candidate.block != 0) {
    mismatch("The plan asks for '" + name + "', but the layer has " + std::to_string(extent) +
                 " weights per channel there, no multiple of the block.",
             layer.name);
  }
}

void check_same_model(const Model& model, const Plan& plan) {
  const std::string& found = model.facts().sha256;
  if (plan.model.sha256.empty() || found.empty() || plan.model.sha256 == found) return;
  mismatch(
      "The plan was made for another model: for SHA-256 " + plan.model.sha256 + ", and this one has " + found + ".",
      model.facts().path);
}

}  // namespace

std::vector<std::size_t> quantizable_layers(const Model& model) {
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    if (model.layers()[i].quantizable()) result.push_back(i);
  }
  return result;
}

bool rows_may_differ(const Layer& layer, std::int64_t opset) {
  constexpr std::int64_t kOrderedTopK = 11;
  if (opset < kOrderedTopK || layer.channel_axes.empty()) return false;
  const std::int64_t rows = quant::scale_layout(layer, {4, "grid", 0}).scale_count();
  return rows > 1 && rows < layer.parameters;
}

bool stands_packed(const Candidate& candidate, std::int64_t opset) {
  return store_of(candidate, opset) == StorageForm::Store::kPlanes;
}

bool leaves_unchanged(const Layer& layer, const Candidate& candidate) {
  if (candidate.form == "float") return true;
  return candidate.form == "half" && (layer.dtype == "float16" || layer.dtype == "bfloat16");
}

std::vector<Candidate> planned_candidates(const Model& model, const Plan& plan) {
  check_same_model(model, plan);
  std::unordered_map<std::string, const PlanEntry*> entries;
  for (const PlanEntry& entry : plan.entries) {
    if (!entries.emplace(entry.layer, &entry).second) mismatch("The plan names the layer twice.", entry.layer);
  }
  std::vector<Candidate> result;
  for (const std::size_t index : quantizable_layers(model)) {
    const Layer& layer = model.layers()[index];
    const auto found = entries.find(layer.name);
    if (found == entries.end()) {
      result.emplace_back();
      continue;
    }
    const PlanEntry& entry = *found->second;
    if (entry.parameters != layer.parameters) {
      mismatch("The plan gives the layer " + std::to_string(entry.parameters) + " weights, and the model has " +
                   std::to_string(layer.parameters) + ".",
               layer.name);
    }
    check_candidate(model, layer, entry.candidate);
    result.push_back(entry.candidate);
    entries.erase(found);
  }
  if (!entries.empty()) {
    const auto first = std::min_element(entries.begin(), entries.end(),
                                        [](const auto& a, const auto& b) { return a.first < b.first; });
    mismatch("The plan names a layer that is no quantizable layer of the model.", first->first);
  }
  return result;
}

}  // namespace mpq::encode
