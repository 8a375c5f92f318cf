#pragma once

#include "mpq/verify.h"

#include "records/json_reader.h"

namespace mpq {

Json write_verification(const Verification& value);
Verification read_verification(const JsonReader& reader);

}  // namespace mpq
