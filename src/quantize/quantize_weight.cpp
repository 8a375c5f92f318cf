#include "quantize/quantize_weight.h"

#include "quantize/trellis_fit.h"

namespace mpq::quant {

QuantizedTensor quantize_weight(std::span<const float> weight, const Layer& layer, const Candidate& candidate,
                                ScaleFit fit, int threads) {
  return candidate.is_trellis() ? quantize_trellis(weight, layer, candidate)
                                : quantize_grid(weight, layer, candidate, fit, threads);
}

}  // namespace mpq::quant
