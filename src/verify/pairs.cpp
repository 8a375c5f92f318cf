#include "verify/pairs.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "mpq/error.h"

#include "graph/model_impl.h"

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

std::vector<ValueInfo> known_values(const Model& model, const std::vector<ValueInfo>& values) {
  std::set<std::string> computed;
  for (const onnx::NodeProto& node : model.impl().proto.graph().node()) {
    computed.insert(node.output().begin(), node.output().end());
  }
  std::vector<ValueInfo> known;
  std::copy_if(values.begin(), values.end(), std::back_inserter(known),
               [&](const ValueInfo& value) { return computed.count(value.name) > 0; });
  return known;
}

}  // namespace mpq::judge
