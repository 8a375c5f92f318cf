#include <nlohmann/json.hpp>

#include "mpq/error.h"
#include "mpq/report.h"

#include "support/files.h"

namespace mpq {

AnyRecord read_record(const std::string& path) {
  const std::string text = read_text(path);
  const auto document = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) {
    throw Error(ErrorCode::kInvalidInput, "The file is no JSON object, so it is no record that mpq wrote.", path,
                "Give a *.run.json, *.sensitivity.json, *.plan.json or *.profile.json.");
  }
  const auto kind = document.find("record");
  if (kind != document.end() && *kind == "run") return run_record_from_json(text, path);
  if (kind != document.end() && *kind == "sensitivity") return sensitivity_from_json(text, path);
  if (kind != document.end() && *kind == "plan") return plan_from_json(text, path);
  if (kind != document.end() && *kind == "profile") return profile_from_json(text, path);
  throw Error(
      ErrorCode::kInvalidInput,
      "The file is JSON, but its key \"record\" does not say run, sensitivity, plan or profile as in every record "
      "that mpq writes.",
      path, "Give a *.run.json, *.sensitivity.json, *.plan.json or *.profile.json.");
}

}  // namespace mpq
