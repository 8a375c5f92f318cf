#pragma once

#include <stdexcept>
#include <string>

namespace mpq {

/// What went wrong, in the classes a script can act on. The values are the tool's exit codes.
enum class ErrorCode : int {
  kInternal = 1,      ///< a bug in mpq
  kUsage = 2,         ///< wrong arguments or configuration
  kInvalidInput = 3,  ///< unreadable or invalid model or data
  kUnsupported = 4,   ///< an operator, type or opset mpq cannot handle
  kInfeasible = 5,    ///< no plan meets the budget
  kGate = 6,          ///< a quality gate failed
  kOutput = 7,        ///< an output cannot be written
  kInterrupted = 130  ///< the caller asked to stop
};

/// The one exception of the library. `what()` is a whole sentence that names what was found and what was
/// expected; `where()` names the file, layer or option (may be empty); `hint()` says what to do (may be empty).
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& what, std::string where = {}, std::string hint = {})
      : std::runtime_error(what), code_(code), where_(std::move(where)), hint_(std::move(hint)) {}

  ErrorCode code() const noexcept { return code_; }
  const std::string& where() const noexcept { return where_; }
  const std::string& hint() const noexcept { return hint_; }

 private:
  ErrorCode code_;
  std::string where_;
  std::string hint_;
};

}  // namespace mpq
