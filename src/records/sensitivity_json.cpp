#include "records/sensitivity_json.h"

#include <set>

#include "mpq/error.h"

#include "records/layer_json.h"

namespace mpq {
namespace {

Json write_settings(const AnalyzeSettings& settings) {
  Json object{{"engine", settings.engine},
              {"noise", settings.noise},
              {"place", settings.place},
              {"metric", settings.metric},
              {"aggregation", settings.aggregation}};
  put_number(object, "quantile", settings.quantile);
  object["trials"] = settings.trials;
  object["max_trials"] = settings.max_trials;
  object["seed"] = settings.seed;
  object["bits"] = settings.bits;
  object["antithetic"] = settings.antithetic;
  object["scale_fit"] = settings.scale_fit;
  object["probes"] = settings.probes;
  object["portable"] = settings.portable;
  return object;
}

AnalyzeSettings read_settings(const JsonReader& reader) {
  constexpr int kMost = INT32_MAX;
  AnalyzeSettings settings;
  settings.engine = reader.at("engine").string();
  settings.noise = reader.at("noise").string();
  settings.place = reader.at("place").string();
  settings.metric = reader.at("metric").string();
  settings.aggregation = reader.at("aggregation").string();
  settings.quantile = reader.number("quantile");
  settings.trials = reader.at("trials").small_integer(0, kMost);
  settings.max_trials = reader.at("max_trials").small_integer(0, kMost);
  settings.seed = reader.at("seed").natural();
  for (const JsonReader& bits : reader.at("bits").elements()) settings.bits.push_back(bits.small_integer(1, 64));
  settings.antithetic = reader.at("antithetic").boolean();
  settings.scale_fit = reader.at("scale_fit").word({"mse", "minmax"});
  if (const auto portable = reader.find("portable")) settings.portable = portable->boolean();
  if (const auto probes = reader.find("probes")) settings.probes = probes->small_integer(0, kMost);
  return settings;
}

Json write_candidate_score(const CandidateScore& score) {
  Json object;
  put_candidate(object, score.candidate);
  object["stored_bytes"] = score.stored_bytes;
  object["file_bytes"] = score.file_bytes;
  object["function"] = score.function;
  put_number(object, "damage", score.damage);
  put_number(object, "standard_error", score.standard_error);
  object["trials"] = score.trials;
  if (score.error_ratio > 0) object["error_ratio"] = score.error_ratio;
  if (!score.trial_damages.empty()) object["trial_damages"] = score.trial_damages;
  return object;
}

CandidateScore read_candidate_score(const JsonReader& reader) {
  CandidateScore score;
  score.candidate = read_candidate(reader);
  score.stored_bytes = reader.at("stored_bytes").integer(0);
  score.file_bytes = reader.at("file_bytes").integer(INT64_MIN);  // a layer may make the framing of others shorter
  score.function = reader.at("function").string();
  score.damage = reader.non_negative("damage");
  score.standard_error = reader.non_negative("standard_error");
  score.trials = reader.at("trials").small_integer(0, INT32_MAX);
  if (const auto ratio = reader.find("error_ratio")) score.error_ratio = ratio->non_negative();
  if (const auto damages = reader.find("trial_damages")) {
    for (const JsonReader& damage : damages->elements()) score.trial_damages.push_back(damage.non_negative());
  }
  return score;
}

Json write_layer_sensitivity(const LayerSensitivity& value) {
  Json object{{"layer", write_layer(value.layer)}};
  put_number(object, "score", value.score);
  put_number(object, "standard_error", value.standard_error);
  Json candidates = Json::array();
  for (const CandidateScore& score : value.candidates) candidates.push_back(write_candidate_score(score));
  object["candidates"] = std::move(candidates);
  return object;
}

LayerSensitivity read_layer_sensitivity(const JsonReader& reader) {
  LayerSensitivity value;
  value.layer = read_layer(reader.at("layer"));
  value.score = reader.non_negative("score");
  value.standard_error = reader.non_negative("standard_error");
  for (const JsonReader& score : reader.at("candidates").elements())
    value.candidates.push_back(read_candidate_score(score));
  // The allocator relies on a way out that always fits the model: the weight as it is.
  if (value.candidates.empty() || value.candidates.back().candidate.form != "float")
    reader.at("candidates").fail("a list that ends with the form float");
  return value;
}

Json write_size(const SizeFacts& size) {
  Json functions = Json::array();
  for (const FunctionSize& function : size.functions) {
    functions.push_back({{"name", function.name}, {"bytes", function.bytes}});
  }
  return {{"base_bytes", size.base_bytes},
          {"fixed_bytes", size.fixed_bytes},
          {"functions", std::move(functions)},
          {"quantizable_parameters", size.quantizable_parameters}};
}

SizeFacts read_size(const JsonReader& reader) {
  SizeFacts size;
  size.base_bytes = reader.at("base_bytes").integer(0);
  size.fixed_bytes = reader.at("fixed_bytes").integer(0);
  for (const JsonReader& function : reader.at("functions").elements()) {
    size.functions.push_back({function.at("name").string(), function.at("bytes").integer(0)});
  }
  size.quantizable_parameters = reader.at("quantizable_parameters").integer(0);
  return size;
}

Json write_agreement(const EngineAgreement& agreement) {
  Json object{{"pairs", agreement.pairs}};
  put_number(object, "rank_correlation", agreement.rank_correlation);
  put_number(object, "median_ratio", agreement.median_ratio);
  return object;
}

EngineAgreement read_agreement(const JsonReader& reader) {
  return {reader.at("pairs").integer(0), reader.number("rank_correlation"), reader.number("median_ratio")};
}

Shard read_shard(const JsonReader& reader) {
  try {
    return Shard::parse(reader.string());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUsage) throw;
    reader.fail("a part such as \"1/4\"");
  }
}

}  // namespace

Json write_sensitivity(const Sensitivity& value) {
  Json measured_as = Json::array();
  for (const MeasuredAs& output : value.measured_as) {
    Json row{{"kind", output.kind}};
    put_number(row, "weight", output.weight);
    measured_as.push_back(std::move(row));
  }
  Json layers = Json::array(), skipped = Json::array();
  for (const LayerSensitivity& layer : value.layers) layers.push_back(write_layer_sensitivity(layer));
  for (const Layer& layer : value.skipped) skipped.push_back(write_layer(layer));
  Json object{{"schema_version", Sensitivity::kSchemaVersion},
              {"record", "sensitivity"},
              {"model", write_model_facts(value.model)},
              {"data", write_data_facts(value.data)},
              {"settings", write_settings(value.settings)},
              {"shard", value.shard ? Json(to_string(*value.shard)) : Json(nullptr)},
              {"outputs", value.outputs},
              {"measured_as", std::move(measured_as)},
              {"size", write_size(value.size)},
              {"trial_runs", value.trial_runs}};
  put_number(object, "rank_stability", value.rank_stability);
  object["settled"] = value.settled;
  object["agreement"] = value.agreement ? write_agreement(*value.agreement) : Json(nullptr);
  object["layers"] = std::move(layers);
  object["skipped"] = std::move(skipped);
  return object;
}

Sensitivity read_sensitivity(const JsonReader& reader) {
  Sensitivity value;
  value.model = read_model_facts(reader.at("model"));
  value.data = read_data_facts(reader.at("data"));
  value.settings = read_settings(reader.at("settings"));
  if (const auto shard = reader.find("shard")) value.shard = read_shard(*shard);
  for (const JsonReader& output : reader.at("outputs").elements()) value.outputs.push_back(output.string());
  if (const auto roles = reader.find("measured_as")) {
    for (const JsonReader& output : roles->elements())
      value.measured_as.push_back({output.at("kind").string(), output.non_negative("weight")});
  }
  value.size = read_size(reader.at("size"));
  value.trial_runs = reader.at("trial_runs").integer(0);
  value.rank_stability = reader.number("rank_stability");
  value.settled = reader.at("settled").boolean();
  if (const auto agreement = reader.find("agreement")) value.agreement = read_agreement(*agreement);
  std::set<std::string> names;
  for (const JsonReader& layer : reader.at("layers").elements()) {
    value.layers.push_back(read_layer_sensitivity(layer));
    if (!names.insert(value.layers.back().layer.name).second)
      layer.at("layer").at("name").fail("a name that no other layer has");
  }
  for (const JsonReader& layer : reader.at("skipped").elements()) value.skipped.push_back(read_layer(layer));
  return value;
}

std::string to_json(const Sensitivity& value) { return dump_record(write_sensitivity(value)); }

Sensitivity sensitivity_from_json(const std::string& text, const std::string& where) {
  const Json value = parse_record(text, where, "sensitivity", Sensitivity::kSchemaVersion);
  return read_sensitivity(JsonReader(value, "", where));
}

}  // namespace mpq
