#include "encode/metadata.h"

#include <algorithm>
#include <sstream>

#include "version_generated.h"

namespace mpq::encode {

namespace {

/// Longest budget worth repeating ("123456789012B"); what a user may write around it is not.
constexpr std::size_t kLongestBudget = 24;

std::string escape(const std::string& field) {
  std::string result;
  for (const char c : field) {
    if (c == '\\') {
      result += "\\\\";
    } else if (c == '\t') {
      result += "\\t";
    } else if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\t') {
      fields.emplace_back();
    } else if (line[i] == '\\' && i + 1 < line.size()) {
      const char c = line[++i];
      fields.back() += c == 't' ? '\t' : c == 'n' ? '\n' : c;
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

}  // namespace

PlanText plan_text_of(const Plan& plan) {
  PlanText text{MPQ_VERSION, plan.budget.size() <= kLongestBudget ? plan.budget : "", {}};
  for (const PlanEntry& entry : plan.entries) text.layers.emplace_back(entry.layer, to_string(entry.candidate));
  return text;
}

std::string write(const PlanText& plan) {
  std::string text = "mpq\t" + plan.version;
  if (!plan.budget.empty()) text += "\nbudget\t" + escape(plan.budget);
  std::vector<std::string> candidates;
  for (const auto& [layer, candidate] : plan.layers) {
    if (std::find(candidates.begin(), candidates.end(), candidate) == candidates.end()) candidates.push_back(candidate);
  }
  for (const std::string& heading : candidates) {
    text += "\n" + heading;
    for (const auto& [layer, candidate] : plan.layers) {
      if (candidate == heading) text += "\t" + escape(layer);
    }
  }
  return text;
}

PlanText parse_plan_text(const std::string& text) {
  PlanText plan;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::vector<std::string> fields = fields_of(line);
    if (fields.size() < 2) continue;
    if (fields[0] == "mpq") {
      plan.version = fields[1];
    } else if (fields[0] == "budget") {
      plan.budget = fields[1];
    } else {
      for (std::size_t i = 1; i < fields.size(); ++i) plan.layers.emplace_back(fields[i], fields[0]);
    }
  }
  return plan;
}

std::string plan_text(const onnx::ModelProto& model) {
  for (const auto& entry : model.metadata_props()) {
    if (entry.key() == kPlanKey) return entry.value();
  }
  return {};
}

void set_plan_text(onnx::ModelProto& model, const std::string& text) {
  for (auto& entry : *model.mutable_metadata_props()) {
    if (entry.key() == kPlanKey) return entry.set_value(text);
  }
  auto* entry = model.add_metadata_props();
  entry->set_key(kPlanKey);
  entry->set_value(text);
}

std::int64_t plan_entry_bound(const std::vector<std::string>& layers, const std::vector<std::string>& candidates) {
  PlanText longest{MPQ_VERSION, std::string(kLongestBudget, ' '), {}};
  std::size_t bytes = write(longest).size();
  for (const std::string& layer : layers) bytes += escape(layer).size() + 1;
  for (const std::string& candidate : candidates) bytes += candidate.size() + 1;
  constexpr std::size_t kFraming = 16;  // tags and lengths of the entry, its key and its value
  return static_cast<std::int64_t>(bytes + std::string(kPlanKey).size() + kFraming);
}

}  // namespace mpq::encode
