#pragma once

namespace mpq {

/// "MAJOR.MINOR.PATCH" of the library in use.
const char* version();

}  // namespace mpq
