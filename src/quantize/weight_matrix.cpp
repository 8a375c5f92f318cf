#include "quantize/weight_matrix.h"

#include "quantize/rows.h"

namespace mpq::quant {

std::vector<float> scale_of_each_weight(const QuantizedTensor& tensor) {
  const Rows rows(tensor.layout);
  std::vector<float> result(rows.count() * rows.length());
  constexpr std::size_t kSideBySide = 64;  // as many neighbouring rows share cache lines
  std::vector<float> scales;
  for (std::size_t first = 0; first < rows.count(); first += kSideBySide) {
    const std::size_t count = std::min(kSideBySide, rows.count() - first);
    scales.clear();
    for (std::size_t r = first; r < first + count; ++r) {
      scales.insert(scales.end(), rows.length(), from_half(tensor.scales[r]) * tensor.scale_multiplier);
    }
    rows.scatter<float>(scales.data(), first, count, result);
  }
  return result;
}

}  // namespace mpq::quant
