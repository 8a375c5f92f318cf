#pragma once

#include "mpq/sensitivity.h"

#include "records/json_reader.h"

namespace mpq {

Json write_sensitivity(const Sensitivity& value);
/// `reader` stands at the object; its schema_version and record have been checked.
Sensitivity read_sensitivity(const JsonReader& reader);

}  // namespace mpq
