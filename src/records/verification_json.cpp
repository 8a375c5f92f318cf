#include "records/verification_json.h"

#include "records/layer_json.h"

namespace mpq {
namespace {

Json write_output(const OutputComparison& output) {
  Json object{{"name", output.name}, {"kind", output.kind}};
  put_number(object, "sqnr_db", output.sqnr_db);
  put_number(object, "relative_mse", output.relative_mse);
  put_number(object, "cosine", output.cosine);
  put_number(object, "max_abs", output.max_abs);
  put_number(object, "kl", output.kl);
  put_number(object, "top1_agreement", output.top1_agreement);
  put_number(object, "top1_low", output.top1_low);
  put_number(object, "top1_high", output.top1_high);
  object["rows"] = output.rows;
  return object;
}

OutputComparison read_output(const JsonReader& reader) {
  OutputComparison output;
  output.name = reader.at("name").string();
  output.kind = reader.at("kind").string();
  output.sqnr_db = reader.number("sqnr_db");
  output.relative_mse = reader.number("relative_mse");
  output.cosine = reader.number("cosine");
  output.max_abs = reader.number("max_abs");
  output.kl = reader.optional_number("kl");
  output.top1_agreement = reader.optional_number("top1_agreement");
  output.top1_low = reader.optional_number("top1_low");
  output.top1_high = reader.optional_number("top1_high");
  output.rows = reader.at("rows").integer(0);
  return output;
}

Json write_accuracy(const AccuracyComparison& accuracy) {
  Json object = Json::object();
  put_number(object, "reference", accuracy.reference);
  put_number(object, "quantized", accuracy.quantized);
  object["samples"] = accuracy.samples;
  put_number(object, "mcnemar_p", accuracy.mcnemar_p);
  return object;
}

AccuracyComparison read_accuracy(const JsonReader& reader) {
  return {reader.number("reference"), reader.number("quantized"), reader.at("samples").integer(0),
          reader.number("mcnemar_p")};
}

}  // namespace

Json write_verification(const Verification& value) {
  Json outputs = Json::array();
  for (const OutputComparison& output : value.outputs) outputs.push_back(write_output(output));
  Json object{{"samples", value.data.samples},
              {"data", write_data_facts(value.data)},
              {"outputs", std::move(outputs)},
              {"accuracy", value.accuracy ? write_accuracy(*value.accuracy) : Json(nullptr)},
              {"metric", value.metric}};
  put_number(object, "damage", value.damage);
  put_number(object, "damage_standard_error", value.damage_standard_error);
  return object;
}

Verification read_verification(const JsonReader& reader) {
  Verification value;
  value.data = read_data_facts(reader.at("data"));
  for (const JsonReader& output : reader.at("outputs").elements()) value.outputs.push_back(read_output(output));
  if (const auto accuracy = reader.find("accuracy")) value.accuracy = read_accuracy(*accuracy);
  value.metric = reader.at("metric").string();
  value.damage = reader.number("damage");
  value.damage_standard_error = reader.number("damage_standard_error");
  return value;
}

}  // namespace mpq
