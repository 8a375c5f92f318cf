#pragma once

#include <memory>
#include <string>
#include <vector>

#include "graph/cut.h"

namespace mpq::calibrate {

/// The network with the constants that were quantized so far replaced by what they became: what it delivers is what the
/// next layers will really receive.
class QuantizedPrefix {
 public:
  explicit QuantizedPrefix(const graph::RunForm& form);
  /// Numbers for a float32 or float16 initializer; other types are left as they are.
  void set(const std::string& name, const std::vector<float>& numbers);
  const graph::RunForm& form() const { return form_; }
  bool changed() const { return changed_; }

 private:
  graph::RunForm form_;
  std::shared_ptr<graph::TensorStore> store_;
  bool changed_ = false;
};

}  // namespace mpq::calibrate
