#include "mpq/placement.h"

namespace mpq {

const char* to_string(TaskKind kind) { return kind == TaskKind::kSync ? "sync" : "async"; }

}  // namespace mpq
