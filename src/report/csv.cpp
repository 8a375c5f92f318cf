#include <map>

#include <fmt/format.h>

#include "report/csv_fields.h"
#include "report/numbers.h"
#include "report/reports.h"

namespace mpq::report {
namespace {

using Entries = std::map<std::string, const PlanEntry*>;

Entries entries_of(const Plan* plan) {
  Entries result;
  if (plan == nullptr) return result;
  for (const PlanEntry& entry : plan->entries) result.emplace(entry.layer, &entry);
  return result;
}

std::vector<std::string> layer_fields(const Layer& layer) {
  return {quoted(layer.name), quoted(layer.op), quoted(layer.weight), shape_text(layer.shape),
          std::to_string(layer.parameters)};
}

std::string score_row(const LayerSensitivity& layer, const CandidateScore& score, const Entries& chosen,
                      bool has_plan) {
  std::vector<std::string> fields = layer_fields(layer.layer);
  const auto entry = chosen.find(layer.layer.name);
  const bool is_chosen = entry != chosen.end() && entry->second->candidate == score.candidate;
  for (std::string& text : std::vector<std::string>{
           number(layer.score), number(layer.standard_error), to_string(score.candidate),
           std::to_string(score.candidate.bits), score.candidate.form, std::to_string(score.candidate.block),
           std::to_string(score.stored_bytes), std::to_string(score.file_bytes), number(score.damage),
           number(score.standard_error), std::to_string(score.trials), has_plan ? (is_chosen ? "1" : "0") : "",
           is_chosen ? quoted(entry->second->reason) : ""}) {
    fields.push_back(std::move(text));
  }
  return row(fields);
}

/// A weight that is left alone has one candidate: itself.
std::string skipped_row(const Layer& layer) {
  std::vector<std::string> fields = layer_fields(layer);
  for (const char* text : {"", "", "float", "32", "float", "0", "", "", "", "", "", ""}) fields.emplace_back(text);
  fields.push_back(quoted(layer.skip_reason));
  return row(fields);
}

std::string scores_csv(const Sensitivity& scores, const Plan* plan) {
  std::string result =
      "layer,op,weight,shape,parameters,sensitivity,sensitivity_stderr,candidate,bits,form,block,stored_bytes,file_"
      "bytes,"
      "damage,stderr,trials,chosen,reason\n";
  const Entries chosen = entries_of(plan);
  for (const LayerSensitivity& layer : scores.layers) {
    for (const CandidateScore& score : layer.candidates) result += score_row(layer, score, chosen, plan != nullptr);
  }
  for (const Layer& layer : scores.skipped) result += skipped_row(layer);
  return result;
}

std::string outputs_csv(const Verification& verification) {
  std::string result = "output,kind,sqnr_db,relative_mse,cosine,max_abs,kl,top1_agreement,top1_low,top1_high,rows\n";
  for (const OutputComparison& o : verification.outputs) {
    result += row({quoted(o.name), o.kind, number(o.sqnr_db), number(o.relative_mse), number(o.cosine),
                   number(o.max_abs), optional_number(o.kl), optional_number(o.top1_agreement),
                   optional_number(o.top1_low), optional_number(o.top1_high), std::to_string(o.rows)});
  }
  return result;
}

}  // namespace

std::string plan_csv(const Plan& plan) {
  std::string result = "layer,parameters,candidate,bits,form,block,stored_bytes,file_bytes,damage,stderr,reason\n";
  for (const PlanEntry& entry : plan.entries) {
    result += row({quoted(entry.layer), std::to_string(entry.parameters), to_string(entry.candidate),
                   std::to_string(entry.candidate.bits), entry.candidate.form, std::to_string(entry.candidate.block),
                   std::to_string(entry.stored_bytes), std::to_string(entry.file_bytes), number(entry.damage),
                   number(entry.standard_error), quoted(entry.reason)});
  }
  return result;
}

std::string sensitivity_csv(const Sensitivity& scores) { return scores_csv(scores, nullptr); }

std::string run_csv(const RunRecord& record) {
  const Plan* plan = record.plan ? &*record.plan : nullptr;
  if (record.sensitivity) return scores_csv(*record.sensitivity, plan);
  if (plan != nullptr) return plan_csv(*plan);
  return record.verification ? outputs_csv(*record.verification) : std::string();
}

}  // namespace mpq::report
