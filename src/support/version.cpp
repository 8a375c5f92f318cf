#include "mpq/version.h"

#include "version_generated.h"

namespace mpq {

const char* version() { return MPQ_VERSION; }

}  // namespace mpq
