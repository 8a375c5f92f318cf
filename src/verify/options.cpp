#include <algorithm>

#include "mpq/error.h"
#include "mpq/verify.h"

#include "support/text.h"

namespace mpq {

void VerifyOptions::validate() const {
  const std::vector<std::string> known = {"auto", "kl", "mse", "relative_l2", "sqnr", "cosine"};
  if (std::find(known.begin(), known.end(), metric) == known.end()) {
    throw Error(ErrorCode::kUsage, "\"" + metric + "\" is no value of --metric; it takes " + join(known, ", ") + ".",
                "--metric");
  }
  if (memory_limit_bytes < 0) {
    throw Error(ErrorCode::kUsage, "The memory limit cannot be negative.", "--memory-limit");
  }
  if (threads < 0) {
    throw Error(ErrorCode::kUsage,
                "The number of threads cannot be " + std::to_string(threads) + "; 0 means all cores.", "--threads");
  }
}

}  // namespace mpq
