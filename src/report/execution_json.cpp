#include "mpq/execution.h"

#include "records/json_writer.h"
#include "records/layer_json.h"

namespace mpq {
namespace {

Json write_subnet(const PlacedSubnet& subnet, const ExecutionRecord& record) {
  Json processors = Json::array();
  for (std::size_t i = 0; i < subnet.processors.size(); ++i) {
    Json entry{{"name", record.processors.at(static_cast<std::size_t>(subnet.processors[i]))}};
    put_number(entry, "predicted_seconds", subnet.seconds[i]);
    processors.push_back(std::move(entry));
  }
  Json object{{"segments", subnet.segments}, {"processors", std::move(processors)}};
  put_number(object, "start_seconds", subnet.start);
  return object;
}

Json write_lane(const Lane& lane, const ExecutionRecord& record) {
  Json object;
  put_number(object, "requests_per_second", lane.rate);
  put_number(object, "seconds", lane.seconds);
  object["in_flight"] = lane.in_flight;
  object["rows"] = lane.rows;
  object["subnets"] = Json::array();
  for (const PlacedSubnet& subnet : lane.subnets) object["subnets"].push_back(write_subnet(subnet, record));
  return object;
}

Json write_placement(const ExecutionRecord& record) {
  const Placement& placement = record.placement;
  Json object{{"strategy", placement.strategy}, {"trials", record.trials}};
  put_number(object, "requests_per_second", placement.rate);
  put_number(object, "seconds", placement.seconds);
  const bool bounded = placement.task == TaskKind::kSync;
  put_number(object, "lower_bound_seconds", bounded ? std::optional(placement.lower_bound()) : std::nullopt);
  put_number(object, "critical_path_seconds", bounded ? std::optional(placement.critical_path) : std::nullopt);
  put_number(object, "work_bound_seconds", bounded ? std::optional(placement.work_bound) : std::nullopt);
  object["lanes"] = Json::array();
  for (const Lane& lane : placement.lanes) object["lanes"].push_back(write_lane(lane, record));
  object["alternatives"] = Json::array();
  for (const PlacementAlternative& other : placement.alternatives) {
    Json entry{{"strategy", other.strategy}};
    put_number(entry, "requests_per_second", other.rate);
    put_number(entry, "seconds", other.seconds);
    object["alternatives"].push_back(std::move(entry));
  }
  return object;
}

Json write_measured(const ExecutionRecord& record) {
  Json object;
  for (const auto& [key, value] : {std::pair{"seconds", record.seconds},
                                   {"requests_per_second", record.rate},
                                   {"median_latency_seconds", record.median_seconds},
                                   {"p90_latency_seconds", record.p90_seconds},
                                   {"most_latency_seconds", record.most_seconds}})
    put_number(object, key, value);
  object["subnets"] = Json::array();
  for (const SubnetFigures& figures : record.subnets) {
    Json entry{{"lane", figures.lane},
               {"subnet", figures.subnet},
               {"processor", record.processors.at(static_cast<std::size_t>(figures.processor))},
               {"runs", figures.runs}};
    put_number(entry, "predicted_seconds", figures.predicted_seconds);
    put_number(entry, "median_seconds", figures.measured_seconds);
    object["subnets"].push_back(std::move(entry));
  }
  return object;
}

Json write_health(const ExecutionRecord& record) {
  Json list = Json::array();
  for (std::size_t p = 0; p < record.processors.size(); ++p) {
    Json entry{{"name", record.processors[p]}};
    const ProcessorHealth health = p < record.health.size() ? record.health[p] : ProcessorHealth{};
    entry["lost"] = health.lost.empty() ? Json(nullptr) : Json(health.lost);
    entry["runs"] = health.runs;
    put_number(entry, "busy_seconds", health.busy_seconds);
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace

std::string to_json(const ExecutionRecord& record) {
  Json object{{"schema_version", ExecutionRecord::kSchemaVersion},
              {"record", "execution"},
              {"mpq_version", record.mpq_version},
              {"model", write_model_facts(record.model)},
              {"data", write_data_facts(record.data)},
              {"task", to_string(record.placement.task)},
              {"precision", record.precision}};
  put_number(object, "latency_limit_seconds", record.latency_limit);
  object["segments"] = record.segments;
  object["placement"] = write_placement(record);
  object["requests"] = record.requests;
  object["failed"] = record.failed;
  object["failure"] = record.failure.empty() ? Json(nullptr) : Json(record.failure);
  object["measured"] = write_measured(record);
  object["processors"] = write_health(record);
  object["timeline"] = Json::array();
  for (const ExecutionEvent& event : record.timeline) {
    Json entry{{"request", event.request},
               {"lane", event.lane},
               {"subnet", event.subnet},
               {"processor", record.processors.at(static_cast<std::size_t>(event.processor))}};
    put_number(entry, "start_seconds", event.start);
    put_number(entry, "end_seconds", event.end);
    object["timeline"].push_back(std::move(entry));
  }
  return dump_record(object);
}

}  // namespace mpq
