#include "profile/profile_journal.h"

#include "mpq/error.h"

#include "records/profile_json.h"
#include "support/hash.h"

namespace mpq::profiling {
namespace {

std::string key_of(const Profile& profile, const ProfileOptions& options) {
  Sha256 hash;
  const auto add = [&](const std::string& part) { hash.update(std::to_string(part.size()) + ":" + part + ";"); };
  for (const std::string& part : {profile.model.sha256, profile.data.sha256, profile.machine.sha256}) add(part);
  for (const Processor& processor : profile.processors) {
    add(processor.name);
    add(processor.description);
  }
  for (const CostColumn& column : profile.columns) add(std::to_string(column.processor) + column.precision);
  for (const Segment& segment : profile.segments) add(segment.name);
  add(std::to_string(options.repeats));
  add(std::to_string(options.seconds_per_cell));
  return hash.hex();
}

}  // namespace

ProfileJournal::ProfileJournal(const std::string& path, const Profile& profile, const ProfileOptions& options)
    : columns_(profile.columns.size()),
      processors_(profile.processors.size()),
      journal_(path, "mpq-profile-checkpoint-2", key_of(profile, options),
               [this](const std::string& line) { return take(line); }) {}

const SegmentRow* ProfileJournal::find(int segment) const {
  const auto found = rows_.find(segment);
  return found == rows_.end() ? nullptr : &found->second;
}

void ProfileJournal::append(int segment, const SegmentRow& row) {
  Json costs = Json::array();
  for (const SegmentCost& cost : row.costs) costs.push_back(write_segment_cost(cost));
  const Json line{{"segment", segment}, {"costs", costs}, {"ticks", row.ticks}, {"seconds", row.seconds}};
  journal_.append(line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

bool ProfileJournal::take(const std::string& line) {
  const Json value = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) return false;
  try {
    const std::string where = "checkpoint";
    const JsonReader reader(value, "", where);
    SegmentRow row;
    for (const JsonReader& cost : reader.at("costs").elements()) row.costs.push_back(read_segment_cost(cost));
    for (const auto& tick : value.at("ticks")) row.ticks.push_back(tick.get<double>());
    row.seconds = reader.non_negative("seconds");
    if (row.costs.size() != columns_ || row.ticks.size() != processors_) return false;
    rows_.insert_or_assign(reader.at("segment").small_integer(0, INT32_MAX), std::move(row));
  } catch (const Error&) {
    return false;
  } catch (const Json::exception&) {
    return false;
  }
  return true;
}

}  // namespace mpq::profiling
