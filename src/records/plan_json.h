#pragma once

#include "mpq/plan.h"

#include "records/json_reader.h"

namespace mpq {

Json write_plan(const Plan& value);
/// `reader` stands at the object; its schema_version and record have been checked.
Plan read_plan(const JsonReader& reader);

}  // namespace mpq
