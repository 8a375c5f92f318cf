#include "encode/nearest_grids.h"

#include "quantize/quantize_weight.h"

namespace mpq::encode {

NearestGrids::NearestGrids(const Model& model, std::int64_t most_bytes)
    : model_(model), room_(most_bytes), kept_(model.layers().size()) {}

quant::QuantizedTensor NearestGrids::of(std::size_t layer, const Candidate& candidate, quant::ScaleFit fit,
                                        int threads) {
  for (const Kept& kept : kept_[layer]) {
    if (kept.fit == fit && kept.numbers.candidate == candidate) return kept.numbers;
  }
  quant::QuantizedTensor numbers =
      quant::quantize_weight(model_.weight(layer), model_.layers()[layer], candidate, fit, threads);
  const auto bytes = static_cast<std::int64_t>(numbers.values.size() + 2 * numbers.scales.size());
  if (bytes <= room_) {
    room_ -= bytes;
    kept_[layer].push_back({fit, numbers});
  }
  return numbers;
}

}  // namespace mpq::encode
