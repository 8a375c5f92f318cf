#include "verify/pairs.h"

#include <algorithm>

#include "mpq/error.h"

namespace mpq::judge {

std::vector<OutputPair> match_outputs(const std::vector<ValueInfo>& reference,
                                      const std::vector<ValueInfo>& quantized) {
  std::vector<OutputPair> pairs;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const std::string& name = reference[i].name;
    const bool same_name =
        std::any_of(quantized.begin(), quantized.end(), [&](const ValueInfo& info) { return info.name == name; });
    if (!same_name && i >= quantized.size()) {
      throw Error(ErrorCode::kInvalidInput,
                  "The quantized model has no output \"" + name + "\" and only " + std::to_string(quantized.size()) +
                      " outputs, where the reference has " + std::to_string(reference.size()) + ".",
                  name, "Compare a model with one made from it.");
    }
    pairs.push_back({name, same_name ? name : quantized[i].name});
  }
  return pairs;
}

}  // namespace mpq::judge
