#include "records/layer_json.h"

#include <cmath>

#include "mpq/error.h"
#include "mpq/tensor.h"

namespace mpq {
namespace {

constexpr int kMostAxes = 64;

std::vector<int> read_axes(const JsonReader& reader, int rank) {
  std::vector<int> axes;
  for (const JsonReader& axis : reader.elements()) axes.push_back(axis.small_integer(0, rank - 1));
  return axes;
}

WeightUse read_use(const JsonReader& reader) {
  return {reader.at("node").string(), reader.at("op").string(), reader.at("input").small_integer(0, 1 << 20),
          reader.at("graph").string()};
}

}  // namespace

Json write_model_facts(const ModelFacts& facts) {
  return {{"path", facts.path}, {"sha256", facts.sha256}, {"bytes", facts.bytes}};
}

ModelFacts read_model_facts(const JsonReader& reader) {
  return {reader.at("path").string(), reader.at("sha256").string(), reader.at("bytes").integer(0)};
}

Json write_data_facts(const DataFacts& facts) {
  return {
      {"source", facts.source}, {"sha256", facts.sha256}, {"samples", facts.samples}, {"synthetic", facts.synthetic}};
}

DataFacts read_data_facts(const JsonReader& reader) {
  return {reader.at("source").string(), reader.at("sha256").string(), reader.at("samples").integer(0),
          reader.at("synthetic").boolean()};
}

Json write_layer(const Layer& layer) {
  Json uses = Json::array();
  for (const WeightUse& use : layer.uses)
    uses.push_back({{"node", use.node}, {"op", use.op}, {"input", use.input}, {"graph", use.graph}});
  return {{"name", layer.name},
          {"op", layer.op},
          {"weight", layer.weight},
          {"graph", layer.graph},
          {"dtype", layer.dtype},
          {"shape", layer.shape},
          {"parameters", layer.parameters},
          {"channel_axes", layer.channel_axes},
          {"block_axis", layer.block_axis},
          {"uses", std::move(uses)},
          {"skip_reason", layer.skip_reason}};
}

Layer read_layer(const JsonReader& reader) {
  Layer layer;
  layer.name = reader.at("name").string();
  layer.op = reader.at("op").string();
  layer.weight = reader.at("weight").string();
  layer.graph = reader.at("graph").string();
  layer.dtype = reader.at("dtype").string();
  for (const JsonReader& extent : reader.at("shape").elements()) layer.shape.push_back(extent.integer(0));
  if (layer.shape.size() > kMostAxes) reader.at("shape").fail("a list of at most 64 extents");
  layer.parameters = reader.at("parameters").integer(0);
  // Only a quantizable weight is promised to have a plain shape: a sparse one may hold fewer numbers.
  const int rank = static_cast<int>(layer.shape.size());
  layer.channel_axes = read_axes(reader.at("channel_axes"), rank);
  layer.block_axis = reader.at("block_axis").small_integer(-1, rank - 1);
  for (const JsonReader& use : reader.at("uses").elements()) layer.uses.push_back(read_use(use));
  layer.skip_reason = reader.at("skip_reason").string();
  return layer;
}

void put_candidate(Json& object, const Candidate& candidate) {
  object["bits"] = candidate.bits;
  object["form"] = candidate.form;
  object["block"] = candidate.block;
  if (candidate.row_bits.empty()) return;
  std::string digits;
  for (const std::uint8_t width : candidate.row_bits) digits += static_cast<char>('0' + width);
  object["row_bits"] = digits;
}

namespace {

Candidate read_rows(const JsonReader& digits, const Candidate& read) {
  std::vector<std::uint8_t> row_bits;
  for (const char digit : digits.string()) row_bits.push_back(static_cast<std::uint8_t>(digit - '0'));
  try {
    Candidate candidate = row_candidate(std::move(row_bits));
    if (candidate.bits == read.bits && candidate.form == read.form && candidate.block == read.block) return candidate;
  } catch (const Error&) {  // told below
  }
  digits.fail("a digit from 2 to 8 per row, of two to four kinds, with their mean in bits, for the form grid");
}

}  // namespace

Candidate read_candidate(const JsonReader& reader) {
  Candidate candidate;
  candidate.form = reader.at("form").word({"grid", "trellis", "half", "float"});
  candidate.bits = reader.at("bits").small_integer(2, 32);
  candidate.block = reader.at("block").small_integer(0, 1 << 24);
  const bool grid = candidate.form == "grid";
  if (grid && candidate.bits > 8) reader.at("bits").fail("a width from 2 to 8 for the form grid");
  if (candidate.is_trellis() && candidate.bits > 6) reader.at("bits").fail("a width from 2 to 6 for the form trellis");
  if (candidate.form == "half" && candidate.bits != 16) reader.at("bits").fail("16 for the form half");
  if (candidate.form == "float" && candidate.bits != 32) reader.at("bits").fail("32 for the form float");
  if (!grid && candidate.block != 0) reader.at("block").fail("0 for the form " + candidate.form);
  if (const auto rows = reader.find("row_bits")) return read_rows(*rows, candidate);
  return candidate;
}

}  // namespace mpq
