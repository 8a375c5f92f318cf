#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "analyze/experiment.h"
#include "quantize/grid.h"

namespace mpq::perturb {

/// The weights as each candidate stores them. Fitting a grid costs far more than expanding it, so fitted grids are kept
/// in their compact form, one byte per weight, up to a limit; beyond it they are fitted again. Thread safe.
class StoredWeights {
 public:
  explicit StoredWeights(const Experiment& experiment) : experiment_(experiment) {}

  /// The floats a runtime sees, before they are rounded to the layer's own type.
  std::vector<float> values(std::size_t task, std::size_t candidate, std::span<const float> weight);
  /// Root mean square of the rounding error, or half a step for the uniform law: see amplitude_of.
  Amplitude amplitude(std::size_t task, std::size_t candidate, std::span<const float> weight);

 private:
  struct Entry {
    std::mutex mutex;  ///< held while the entry is made, so that no two threads make it
    std::shared_ptr<const quant::QuantizedTensor> grid;
    std::shared_ptr<const Amplitude> amplitude;
  };
  Entry& entry(std::size_t task, std::size_t candidate);
  bool may_keep(std::size_t bytes);

  const Experiment& experiment_;
  std::mutex mutex_;
  std::map<std::pair<std::size_t, std::size_t>, std::unique_ptr<Entry>> entries_;
  std::size_t kept_bytes_ = 0;
};

}  // namespace mpq::perturb
