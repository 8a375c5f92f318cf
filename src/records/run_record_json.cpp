#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "mpq/run_record.h"

#include "records/layer_json.h"
#include "records/plan_json.h"
#include "records/sensitivity_json.h"
#include "records/verification_json.h"

// "budget", "layers" and most of "analysis" repeat, for scripts, what "plan" and "sensitivity" hold in full;
// they are written from those two and never read back.

namespace mpq {
namespace {

/// Options of names that may be repeated: always lists. The first records of schema version 1 joined their values.
constexpr std::array kRepeated = {"layer", "keep"};
constexpr std::string_view kJoint = ", ";

Json write_options(const std::vector<std::pair<std::string, std::string>>& options) {
  Json object = text_pairs(options);
  for (const char* name : kRepeated) {
    if (object.contains(name) && object[name].is_string()) object[name] = Json::array({object[name]});
  }
  return object;
}

std::vector<std::pair<std::string, std::string>> read_options(const JsonReader& reader) {
  std::vector<std::pair<std::string, std::string>> options;
  for (const auto& [name, member] : reader.members()) {
    const bool repeated = std::find(kRepeated.begin(), kRepeated.end(), name) != kRepeated.end();
    if (member.is_list()) {
      for (const JsonReader& element : member.elements()) options.emplace_back(name, element.string());
      continue;
    }
    std::string rest = member.string();
    for (std::size_t end = rest.find(kJoint); repeated && end != std::string::npos; end = rest.find(kJoint)) {
      options.emplace_back(name, rest.substr(0, end));
      rest.erase(0, end + kJoint.size());
    }
    options.emplace_back(name, rest);
  }
  return options;
}

Json write_budget(const Plan& plan) {
  Json object{{"requested", plan.budget},
              {"counted", plan.counts_file ? "file" : "weights"},
              {"limit_bytes", plan.limit_bytes},
              {"achieved_bytes", plan.counts_file ? plan.file_bytes : plan.stored_bytes}};
  put_number(object, "achieved_bits", plan.bits_per_weight);
  return object;
}

Json layer_row(const std::string& name, const Layer* layer, const Candidate& candidate, std::int64_t parameters,
               std::int64_t bytes) {
  Json row{{"name", name}};
  row["op"] = layer ? Json(layer->op) : Json(nullptr);
  row["weight"] = layer ? Json(layer->weight) : Json(nullptr);
  row["shape"] = layer ? Json(layer->shape) : Json(nullptr);
  row["parameters"] = parameters;
  put_candidate(row, candidate);
  row["bytes"] = bytes;
  return row;
}

void put_sensitivity(Json& row, const LayerSensitivity* scores, const std::string& reason) {
  put_number(row, "sensitivity", scores ? std::optional(scores->score) : std::nullopt);
  put_number(row, "stderr", scores ? std::optional(scores->standard_error) : std::nullopt);
  row["reason"] = reason;
}

/// Bytes of a weight that is left alone; sparse ones and strange types are counted by what a float takes.
std::int64_t bytes_left_alone(const Layer& layer) {
  constexpr std::int64_t kFloatBytes = 4;
  const bool known = layer.dtype == "float16" || layer.dtype == "bfloat16" || layer.dtype == "float64";
  return known ? stored_bytes(layer, Candidate{}) : kFloatBytes * layer.parameters;
}

/// One row per weight: what the plan chose, or without a plan what the weight is now; then the weights left alone.
Json write_layers(const RunRecord& record) {
  std::map<std::string, const LayerSensitivity*> scores;
  if (record.sensitivity) {
    for (const LayerSensitivity& layer : record.sensitivity->layers) scores[layer.layer.name] = &layer;
  }
  Json rows = Json::array();
  if (record.plan) {
    for (const PlanEntry& entry : record.plan->entries) {
      const auto found = scores.find(entry.layer);
      const LayerSensitivity* score = found == scores.end() ? nullptr : found->second;
      Json row = layer_row(entry.layer, score ? &score->layer : nullptr, entry.candidate, entry.parameters,
                           entry.stored_bytes);
      put_sensitivity(row, score, entry.reason);
      rows.push_back(std::move(row));
    }
  } else if (record.sensitivity) {
    for (const LayerSensitivity& score : record.sensitivity->layers) {
      Json row =
          layer_row(score.layer.name, &score.layer, Candidate{}, score.layer.parameters, bytes_left_alone(score.layer));
      put_sensitivity(row, &score, "not planned");
      rows.push_back(std::move(row));
    }
  }
  if (!record.sensitivity) return rows;
  for (const Layer& layer : record.sensitivity->skipped) {
    Json row = layer_row(layer.name, &layer, Candidate{}, layer.parameters, bytes_left_alone(layer));
    put_sensitivity(row, nullptr, layer.skip_reason);
    rows.push_back(std::move(row));
  }
  return rows;
}

int most_trials(const Sensitivity& sensitivity) {
  int most = 0;
  for (const LayerSensitivity& layer : sensitivity.layers) {
    for (const CandidateScore& score : layer.candidates) most = std::max(most, score.trials);
  }
  return most;
}

Json write_analysis(const RunRecord& record) {
  if (!record.sensitivity && !record.cost) return nullptr;
  Json object = Json::object();
  const bool known = record.sensitivity.has_value();
  const AnalyzeSettings settings = known ? record.sensitivity->settings : AnalyzeSettings{};
  for (const auto& [key, value] : {std::pair{"engine", settings.engine}, std::pair{"noise", settings.noise},
                                   std::pair{"place", settings.place}, std::pair{"metric", settings.metric}})
    object[key] = known ? Json(value) : Json(nullptr);
  object["trials"] = known ? Json(most_trials(*record.sensitivity)) : Json(nullptr);
  const auto cost = [&](double AnalysisCost::*figure) {
    return record.cost ? std::optional((*record.cost).*figure) : std::nullopt;
  };
  object["trial_runs"] = record.cost ? Json(record.cost->trial_runs) : Json(nullptr);
  put_number(object, "forward_equivalents", cost(&AnalysisCost::forward_equivalents));
  put_number(object, "full_rerun_equivalents", cost(&AnalysisCost::full_rerun_equivalents));
  put_number(object, "bound_equivalents", cost(&AnalysisCost::bound_equivalents));
  put_number(object, "seconds", cost(&AnalysisCost::seconds));
  put_number(object, "forward_seconds", cost(&AnalysisCost::forward_seconds));
  return object;
}

/// The cost is there when its runs were counted; an analysis read from a file has none.
std::optional<AnalysisCost> read_cost(const JsonReader& reader) {
  const auto runs = reader.find("trial_runs");
  if (!runs) return std::nullopt;
  AnalysisCost cost;
  cost.trial_runs = runs->integer(0);
  cost.forward_equivalents = reader.number("forward_equivalents");
  cost.full_rerun_equivalents = reader.number("full_rerun_equivalents");
  if (reader.find("bound_equivalents")) cost.bound_equivalents = reader.number("bound_equivalents");
  cost.seconds = reader.number("seconds");
  cost.forward_seconds = reader.number("forward_seconds");
  return cost;
}

/// Stages may be timed several times (one model per budget); a stage's time is their sum.
Json write_timings(const std::vector<std::pair<std::string, double>>& timings) {
  std::vector<std::pair<std::string, double>> sums;
  for (const auto& timed : timings) {
    const auto found =
        std::find_if(sums.begin(), sums.end(), [&](const auto& sum) { return sum.first == timed.first; });
    if (found == sums.end()) {
      sums.push_back(timed);
    } else {
      found->second += timed.second;
    }
  }
  Json object = Json::object();
  for (const auto& [stage, seconds] : sums) object[stage] = seconds;
  return object;
}

Json write_drop_search(const DropSearch& search) {
  Json tried = Json::array();
  for (const SizeTried& size : search.tried) {
    Json row{{"file_bytes", size.file_bytes}};
    put_number(row, "found", size.found);
    row["kept"] = size.kept;
    tried.push_back(std::move(row));
  }
  return {{"limit", search.limit}, {"tried", std::move(tried)}};
}

DropSearch read_drop_search(const JsonReader& reader) {
  DropSearch search{reader.at("limit").string(), {}};
  for (const JsonReader& size : reader.at("tried").elements()) {
    search.tried.push_back({size.at("file_bytes").integer(0), size.number("found"), size.at("kept").boolean()});
  }
  return search;
}

Json write_latency(const LatencyCheck& check) {
  return {{"processor", check.processor},
          {"budget", check.budget},
          {"limit_seconds", check.limit_seconds},
          {"predicted_seconds", check.predicted_seconds},
          {"measured_seconds", check.measured_seconds},
          {"spread_seconds", check.spread_seconds},
          {"original_seconds", check.original_seconds},
          {"profiled_seconds", check.profiled_seconds},
          {"load_seconds", check.load_seconds},
          {"original_load_seconds", check.original_load_seconds},
          {"noise", check.noise},
          {"repairs", check.repairs},
          {"met", check.is_met()}};
}

LatencyCheck read_latency(const JsonReader& reader) {
  constexpr int kMostRepairs = 1000;
  LatencyCheck check;
  check.processor = reader.at("processor").string();
  check.budget = reader.at("budget").string();
  check.limit_seconds = reader.non_negative("limit_seconds");
  check.predicted_seconds = reader.non_negative("predicted_seconds");
  check.measured_seconds = reader.non_negative("measured_seconds");
  check.spread_seconds = reader.non_negative("spread_seconds");
  check.original_seconds = reader.non_negative("original_seconds");
  check.profiled_seconds = reader.non_negative("profiled_seconds");
  if (reader.find("load_seconds")) check.load_seconds = reader.non_negative("load_seconds");
  if (reader.find("original_load_seconds")) check.original_load_seconds = reader.non_negative("original_load_seconds");
  check.noise = reader.non_negative("noise");
  check.repairs = reader.at("repairs").small_integer(0, kMostRepairs);
  return check;
}

template <typename Value, typename Write>
Json or_null(const std::optional<Value>& value, const Write& write) {
  return value ? write(*value) : Json(nullptr);
}

}  // namespace

std::string to_json(const RunRecord& value) {
  Json object{{"schema_version", RunRecord::kSchemaVersion},
              {"record", "run"},
              {"command", value.command},
              {"mpq_version", value.mpq_version},
              {"model", write_model_facts(value.model)}};
  object["output"] = or_null(value.output, write_model_facts);
  object["budget"] = or_null(value.plan, write_budget);
  object["max_drop"] = or_null(value.drop_search, write_drop_search);
  object["layers"] = write_layers(value);
  object["analysis"] = write_analysis(value);
  object["latency"] = or_null(value.latency, write_latency);
  object["verification"] = or_null(value.verification, write_verification);
  object["uniform_baseline"] = or_null(value.uniform_baseline, write_verification);
  object["run_forms"] = text_pairs(value.run_forms);
  object["timings"] = write_timings(value.timings_seconds);
  object["peak_memory_bytes"] = value.peak_memory_bytes;
  if (value.memory_limit_bytes > 0) object["memory_limit_bytes"] = value.memory_limit_bytes;
  object["environment"] = text_pairs(value.environment);
  object["options"] = write_options(value.options);
  object["warnings"] = value.warnings;
  object["plan"] = or_null(value.plan, write_plan);
  object["sensitivity"] = or_null(value.sensitivity, write_sensitivity);
  return dump_record(object);
}

RunRecord run_record_from_json(const std::string& text, const std::string& where) {
  const Json json = parse_record(text, where, "run", RunRecord::kSchemaVersion);
  const JsonReader reader(json, "", where);
  RunRecord value;
  value.command = reader.at("command").string();
  value.mpq_version = reader.at("mpq_version").string();
  value.model = read_model_facts(reader.at("model"));
  if (const auto output = reader.find("output")) value.output = read_model_facts(*output);
  if (const auto sensitivity = reader.find("sensitivity")) value.sensitivity = read_sensitivity(*sensitivity);
  if (const auto analysis = reader.find("analysis")) value.cost = read_cost(*analysis);
  if (const auto plan = reader.find("plan")) value.plan = read_plan(*plan);
  if (const auto search = reader.find("max_drop")) value.drop_search = read_drop_search(*search);
  if (const auto latency = reader.find("latency")) value.latency = read_latency(*latency);
  value.run_forms = reader.at("run_forms").text_pairs();
  if (const auto found = reader.find("verification")) value.verification = read_verification(*found);
  if (const auto found = reader.find("uniform_baseline")) value.uniform_baseline = read_verification(*found);
  const JsonReader timings = reader.at("timings");
  for (const auto& [stage, seconds] : timings.members())
    value.timings_seconds.emplace_back(stage, timings.number(stage));
  value.peak_memory_bytes = reader.at("peak_memory_bytes").integer(0);
  if (const auto limit = reader.find("memory_limit_bytes")) value.memory_limit_bytes = limit->integer(0);
  value.environment = reader.at("environment").text_pairs();
  value.options = read_options(reader.at("options"));
  for (const JsonReader& warning : reader.at("warnings").elements()) value.warnings.push_back(warning.string());
  return value;
}

}  // namespace mpq
