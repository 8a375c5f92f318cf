#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "graph/model_impl.h"
#include "model_files.h"
#include "parsed_model.h"

namespace mpq::graph::testing {

class DequantizedModels : public ModelFiles {
 protected:
  /// What dequantize() makes of `body`, a graph in text form.
  Dequantized from(const std::string& body, int opset = 17) {
    Dequantized result = dequantize(load(from_text("<ir_version: 8, opset_import: [\"\" : " + std::to_string(opset) +
                                                   ", \"com.microsoft\" : 1]> " + body)));
    expect_valid(result.model.impl().proto);
    return result;
  }
};

/// "y = Relu(x)" per node; constants as their names.
inline std::vector<std::string> node_texts(const Model& model) {
  std::vector<std::string> texts;
  for (const auto& node : model.impl().proto.graph().node()) {
    std::string text = node.output(0);
    for (int i = 1; i < node.output_size(); ++i) text += ", " + node.output(i);
    text += " = " + node.op_type() + '(';
    for (int i = 0; i < node.input_size(); ++i) text += (i > 0 ? ", " : "") + node.input(i);
    texts.push_back(text + ')');
  }
  return texts;
}

/// The numbers of an initializer of floats; empty when there is none of that name.
inline std::vector<float> numbers(const Model& model, const std::string& name) {
  const auto& tensors = model.impl().proto.graph().initializer();
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name() == name; });
  if (found == tensors.end()) return {};
  std::string scratch;
  const auto bytes = raw_bytes(*found, *model.impl().store, scratch);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace mpq::graph::testing
