#pragma once

#include <cstdint>
#include <vector>

#include "mpq/model.h"

#include "quantize/grid.h"

namespace mpq::encode {

/// Weights rounded to nearest, kept: plans that are measured one after the other differ in a few layers, and finding
/// the scales of all takes as long as running the network.
class NearestGrids {
 public:
  /// Refers to the model. `most_bytes`: of the numbers that are kept, the first ones asked for.
  explicit NearestGrids(const Model& model, std::int64_t most_bytes = std::int64_t{256} << 20);

  /// As quant::quantize_weight.
  quant::QuantizedTensor of(std::size_t layer, const Candidate& candidate, quant::ScaleFit fit, int threads);

 private:
  struct Kept {
    quant::ScaleFit fit;
    quant::QuantizedTensor numbers;
  };

  const Model& model_;
  std::int64_t room_;
  std::vector<std::vector<Kept>> kept_;  ///< by layer
};

}  // namespace mpq::encode
