#include "records/plan_json.h"

#include <set>

#include "records/layer_json.h"

namespace mpq {
namespace {

Json write_time(const PlanTime& time) {
  return {{"processor", time.processor},
          {"budget", time.budget},
          {"limit_seconds", time.limit_seconds},
          {"predicted_seconds", time.predicted_seconds},
          {"float_seconds", time.float_seconds},
          {"fastest_seconds", time.fastest_seconds},
          {"noise", time.noise}};
}

PlanTime read_time(const JsonReader& reader) {
  PlanTime time;
  time.processor = reader.at("processor").string();
  time.budget = reader.at("budget").string();
  time.limit_seconds = reader.non_negative("limit_seconds");
  time.predicted_seconds = reader.non_negative("predicted_seconds");
  time.float_seconds = reader.non_negative("float_seconds");
  time.fastest_seconds = reader.non_negative("fastest_seconds");
  time.noise = reader.non_negative("noise");
  return time;
}

Json write_entry(const PlanEntry& entry, bool timed) {
  Json object{{"layer", entry.layer}};
  put_candidate(object, entry.candidate);
  object["parameters"] = entry.parameters;
  object["stored_bytes"] = entry.stored_bytes;
  object["file_bytes"] = entry.file_bytes;
  put_number(object, "damage", entry.damage);
  put_number(object, "standard_error", entry.standard_error);
  object["reason"] = entry.reason;
  if (timed) object["seconds"] = entry.seconds;
  return object;
}

PlanEntry read_entry(const JsonReader& reader, bool timed) {
  PlanEntry entry;
  entry.layer = reader.at("layer").string();
  entry.candidate = read_candidate(reader);
  entry.parameters = reader.at("parameters").integer(0);
  entry.stored_bytes = reader.at("stored_bytes").integer(0);
  entry.file_bytes = reader.at("file_bytes").integer(INT64_MIN);
  entry.damage = reader.non_negative("damage");
  entry.standard_error = reader.non_negative("standard_error");
  entry.reason = reader.at("reason").string();
  if (timed) entry.seconds = reader.number("seconds");
  return entry;
}

}  // namespace

Json write_plan(const Plan& value) {
  Json object{{"schema_version", Plan::kSchemaVersion},  {"record", "plan"},
              {"model", write_model_facts(value.model)}, {"budget", value.budget},
              {"counts_file", value.counts_file},        {"limit_bytes", value.limit_bytes},
              {"stored_bytes", value.stored_bytes},      {"file_bytes", value.file_bytes},
              {"parameters", value.parameters}};
  put_number(object, "bits_per_weight", value.bits_per_weight);
  put_number(object, "predicted_damage", value.predicted_damage);
  put_number(object, "standard_error", value.standard_error);
  put_number(object, "lower_bound", value.lower_bound);
  put_number(object, "optimality_gap", value.optimality_gap);
  object["uniform"] = value.uniform;
  object["scale_fit"] = value.scale_fit;
  object["portable"] = value.portable;
  object["rounding"] = value.rounding;
  object["compute"] = value.compute;
  if (value.time) object["time"] = write_time(*value.time);
  Json entries = Json::array();
  for (const PlanEntry& entry : value.entries) entries.push_back(write_entry(entry, value.time.has_value()));
  object["entries"] = std::move(entries);
  return object;
}

Plan read_plan(const JsonReader& reader) {
  Plan value;
  value.model = read_model_facts(reader.at("model"));
  value.budget = reader.at("budget").string();
  value.counts_file = reader.at("counts_file").boolean();
  value.limit_bytes = reader.at("limit_bytes").integer(0);
  value.stored_bytes = reader.at("stored_bytes").integer(0);
  value.file_bytes = reader.at("file_bytes").integer(0);
  value.parameters = reader.at("parameters").integer(0);
  value.bits_per_weight = reader.non_negative("bits_per_weight");
  value.predicted_damage = reader.non_negative("predicted_damage");
  value.standard_error = reader.non_negative("standard_error");
  value.lower_bound = reader.number("lower_bound");
  value.optimality_gap = reader.number("optimality_gap");
  value.uniform = reader.at("uniform").boolean();
  value.scale_fit = reader.at("scale_fit").word({"mse", "minmax"});
  if (const auto portable = reader.find("portable")) value.portable = portable->boolean();
  value.rounding = reader.at("rounding").word({"auto", "nearest", "data-free", "second-order", "sequential"});
  value.compute = reader.at("compute").word({"auto", "float", "int8"});
  if (const auto time = reader.find("time")) value.time = read_time(*time);
  std::set<std::string> names;
  for (const JsonReader& entry : reader.at("entries").elements()) {
    value.entries.push_back(read_entry(entry, value.time.has_value()));
    if (!names.insert(value.entries.back().layer).second) entry.at("layer").fail("a name that no other entry has");
  }
  return value;
}

std::string to_json(const Plan& value) { return dump_record(write_plan(value)); }

Plan plan_from_json(const std::string& text, const std::string& where) {
  const Json value = parse_record(text, where, "plan", Plan::kSchemaVersion);
  return read_plan(JsonReader(value, "", where));
}

}  // namespace mpq
