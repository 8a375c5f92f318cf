#include "report/as_run.h"

#include "mpq/error.h"

namespace mpq::report {

RunRecord as_run(const AnyRecord& record) {
  if (const auto* run = std::get_if<RunRecord>(&record)) return *run;
  if (std::holds_alternative<Profile>(record)) {
    throw Error(ErrorCode::kUsage,
                "A profile is no run: it is shown as table, json or csv, and not compared with others.",
                std::get<Profile>(record).model.path, "Use --format table, json or csv.");
  }
  RunRecord result;
  if (const auto* scores = std::get_if<Sensitivity>(&record)) {
    result.command = "analyze";
    result.model = scores->model;
    result.sensitivity = *scores;
  }
  if (const auto* plan = std::get_if<Plan>(&record)) {
    result.command = "plan";
    result.model = plan->model;
    result.plan = *plan;
  }
  return result;
}

}  // namespace mpq::report
