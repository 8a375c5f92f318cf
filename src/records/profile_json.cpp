#include "records/profile_json.h"

#include <set>

#include "records/layer_json.h"
#include "support/files.h"

namespace mpq {
namespace {

constexpr int kMost = INT32_MAX;
constexpr const char* kDtypes[] = {"float32", "float64", "float16", "bfloat16", "int8",   "int16", "int32",
                                   "int64",   "uint8",   "uint16",  "uint32",   "uint64", "bool",  "string"};

DType dtype_named(const JsonReader& reader) {
  const std::string name = reader.word({std::begin(kDtypes), std::end(kDtypes)});
  for (int i = 0;; ++i) {
    if (kDtypes[i] == name) return static_cast<DType>(i);
  }
}

/// Positions below `count`.
std::vector<int> read_positions(const JsonReader& reader, std::size_t count) {
  std::vector<int> positions;
  for (const JsonReader& element : reader.elements())
    positions.push_back(element.small_integer(0, static_cast<int>(count) - 1));
  return positions;
}

std::vector<int> read_naturals(const JsonReader& reader) { return read_positions(reader, kMost); }

std::vector<std::string> read_strings(const JsonReader& reader) {
  std::vector<std::string> strings;
  for (const JsonReader& element : reader.elements()) strings.push_back(element.string());
  return strings;
}

Json write_machine(const MachineFacts& machine) {
  return {{"cpu", machine.cpu}, {"cores", machine.cores}, {"runtime", machine.runtime}, {"sha256", machine.sha256}};
}

MachineFacts read_machine(const JsonReader& reader) {
  return {reader.at("cpu").string(), reader.at("cores").small_integer(1, kMost), reader.at("runtime").string(),
          reader.at("sha256").string()};
}

Json write_processor(const Processor& processor) {
  Json object{{"name", processor.name},
              {"provider", processor.provider},
              {"device", processor.device},
              {"cores", processor.cores}};
  put_number(object, "slowdown", processor.slowdown);
  object["precisions"] = processor.precisions;
  object["description"] = processor.description;
  object["absent"] = processor.absent;
  put_number(object, "call_seconds", processor.call_seconds);
  put_number(object, "noise", processor.noise);
  return object;
}

Processor read_processor(const JsonReader& reader) {
  Processor processor;
  processor.name = reader.at("name").string();
  processor.provider = reader.at("provider").word({"cpu", "openvino", "webgpu", "cuda"});
  processor.device = reader.at("device").string();
  processor.cores = read_naturals(reader.at("cores"));
  processor.slowdown = reader.non_negative("slowdown");
  processor.precisions = read_strings(reader.at("precisions"));
  processor.description = reader.at("description").string();
  processor.absent = reader.at("absent").string();
  processor.call_seconds = reader.non_negative("call_seconds");
  processor.noise = reader.non_negative("noise");
  return processor;
}

Json write_tensor(const BoundaryTensor& tensor) {
  return {{"name", tensor.name},           {"dtype", dtype_name(tensor.dtype)},
          {"shape", tensor.shape},         {"symbols", tensor.symbols},
          {"bytes", tensor.bytes},         {"producer", tensor.producer},
          {"consumers", tensor.consumers}, {"network_output", tensor.network_output}};
}

BoundaryTensor read_tensor(const JsonReader& reader, std::size_t segments) {
  BoundaryTensor tensor;
  tensor.name = reader.at("name").string();
  tensor.dtype = dtype_named(reader.at("dtype"));
  for (const JsonReader& extent : reader.at("shape").elements()) tensor.shape.push_back(extent.integer(0));
  tensor.symbols = read_strings(reader.at("symbols"));
  if (tensor.symbols.size() != tensor.shape.size()) reader.at("symbols").fail("a list as long as shape");
  tensor.bytes = reader.at("bytes").integer(0);
  tensor.producer = reader.at("producer").small_integer(-1, static_cast<int>(segments) - 1);
  tensor.consumers = read_positions(reader.at("consumers"), segments);
  tensor.network_output = reader.at("network_output").boolean();
  return tensor;
}

Json write_segment(const Segment& segment) {
  return {{"name", segment.name},
          {"nodes", segment.nodes},
          {"inputs", segment.inputs},
          {"outputs", segment.outputs},
          {"predecessors", segment.predecessors},
          {"layers", segment.layers},
          {"parameters", segment.parameters}};
}

Segment read_segment(const JsonReader& reader, std::size_t number, std::size_t tensors) {
  Segment segment;
  segment.name = reader.at("name").string();
  segment.nodes = read_naturals(reader.at("nodes"));
  segment.inputs = read_positions(reader.at("inputs"), tensors);
  segment.outputs = read_positions(reader.at("outputs"), tensors);
  // A predecessor is below, so that the order of the list is one to run them in.
  segment.predecessors = read_positions(reader.at("predecessors"), number);
  segment.layers = read_strings(reader.at("layers"));
  segment.parameters = reader.at("parameters").integer(0);
  return segment;
}

Json write_timing(const Timing& timing) {
  Json object;
  put_number(object, "seconds", timing.seconds);
  put_number(object, "spread", timing.spread);
  object["count"] = timing.count;
  return object;
}

Timing read_timing(const JsonReader& reader) {
  return {reader.non_negative("seconds"), reader.non_negative("spread"), reader.at("count").small_integer(0, kMost)};
}

Json write_column(const CostColumn& column) {
  Json object{{"processor", column.processor}, {"precision", column.precision}};
  object["whole"] = column.whole ? write_timing(*column.whole) : Json();
  object["memory_bytes"] = column.memory_bytes;
  put_number(object, "predicted", column.predicted);
  Json costs = Json::array();
  for (const SegmentCost& cost : column.costs) costs.push_back(write_segment_cost(cost));
  object["costs"] = std::move(costs);
  return object;
}

CostColumn read_column(const JsonReader& reader, std::size_t processors, std::size_t segments) {
  CostColumn column;
  column.processor = reader.at("processor").small_integer(0, static_cast<int>(processors) - 1);
  column.precision = reader.at("precision").string();
  if (const auto whole = reader.find("whole")) column.whole = read_timing(*whole);
  column.memory_bytes = reader.at("memory_bytes").integer(0);
  column.predicted = reader.optional_number("predicted");
  for (const JsonReader& cost : reader.at("costs").elements()) column.costs.push_back(read_segment_cost(cost));
  if (column.costs.size() != segments) reader.at("costs").fail("a list as long as segments");
  return column;
}

Json write_transfer(const TransferCost& transfer) {
  Json object{{"from", transfer.from}, {"to", transfer.to}};
  put_number(object, "fixed_seconds", transfer.fixed_seconds);
  put_number(object, "seconds_per_byte", transfer.seconds_per_byte);
  put_number(object, "error", transfer.error);
  return object;
}

TransferCost read_transfer(const JsonReader& reader, std::size_t processors) {
  const int last = static_cast<int>(processors) - 1;
  return {reader.at("from").small_integer(0, last), reader.at("to").small_integer(0, last),
          reader.non_negative("fixed_seconds"), reader.non_negative("seconds_per_byte"), reader.non_negative("error")};
}

template <typename T, typename Write>
Json list_of(const std::vector<T>& values, const Write& write) {
  Json list = Json::array();
  for (const T& value : values) list.push_back(write(value));
  return list;
}

void read_network(const JsonReader& reader, Profile& value) {
  const std::vector<JsonReader> tensors = reader.at("tensors").elements();
  const std::vector<JsonReader> segments = reader.at("segments").elements();
  for (const JsonReader& tensor : tensors) value.tensors.push_back(read_tensor(tensor, segments.size()));
  std::set<std::string> names;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    value.segments.push_back(read_segment(segments[i], i, tensors.size()));
    if (!names.insert(value.segments.back().name).second)
      segments[i].at("name").fail("a name that no other segment has");
  }
}

Profile read_profile_record(const JsonReader& reader) {
  Profile value;
  value.model = read_model_facts(reader.at("model"));
  value.data = read_data_facts(reader.at("data"));
  value.machine = read_machine(reader.at("machine"));
  value.base_precision = reader.at("base_precision").string();
  value.noise = reader.non_negative("noise");
  value.seconds = reader.non_negative("seconds");
  for (const JsonReader& processor : reader.at("processors").elements())
    value.processors.push_back(read_processor(processor));
  read_network(reader, value);
  for (const JsonReader& column : reader.at("columns").elements())
    value.columns.push_back(read_column(column, value.processors.size(), value.segments.size()));
  if (const auto layers = reader.find("integer_activations")) value.integer_activations = read_strings(*layers);
  for (const JsonReader& transfer : reader.at("transfers").elements())
    value.transfers.push_back(read_transfer(transfer, value.processors.size()));
  return value;
}

}  // namespace

/// What does not apply is left out, so that a line stays readable.
Json write_segment_cost(const SegmentCost& cost) {
  if (!cost.supported()) return {{"unsupported", cost.unsupported}};
  Json object{{"alone", write_timing(cost.alone)}};
  if (cost.with_next.count > 0) object["with_next"] = write_timing(cost.with_next);
  object["memory_bytes"] = cost.memory_bytes;
  if (!cost.same_as.empty()) object["same_as"] = cost.same_as;
  return object;
}

SegmentCost read_segment_cost(const JsonReader& reader) {
  SegmentCost cost;
  if (const auto reason = reader.find("unsupported")) {
    cost.unsupported = reason->string();
    return cost;
  }
  cost.alone = read_timing(reader.at("alone"));
  if (const auto joined = reader.find("with_next")) cost.with_next = read_timing(*joined);
  cost.memory_bytes = reader.at("memory_bytes").integer(0);
  if (const auto same = reader.find("same_as")) cost.same_as = same->string();
  return cost;
}

std::string to_json(const Profile& value) {
  Json object{{"schema_version", Profile::kSchemaVersion}, {"record", "profile"},
              {"model", write_model_facts(value.model)},   {"data", write_data_facts(value.data)},
              {"machine", write_machine(value.machine)},   {"base_precision", value.base_precision}};
  put_number(object, "noise", value.noise);
  put_number(object, "seconds", value.seconds);
  object["processors"] = list_of(value.processors, write_processor);
  object["tensors"] = list_of(value.tensors, write_tensor);
  object["segments"] = list_of(value.segments, write_segment);
  object["columns"] = list_of(value.columns, write_column);
  object["integer_activations"] = value.integer_activations;
  object["transfers"] = list_of(value.transfers, write_transfer);
  return dump_record(object);
}

Profile profile_from_json(const std::string& text, const std::string& where) {
  const Json value = parse_record(text, where, "profile", Profile::kSchemaVersion);
  return read_profile_record(JsonReader(value, "", where));
}

Profile read_profile(const std::string& path) { return profile_from_json(read_text(path), path); }

}  // namespace mpq
