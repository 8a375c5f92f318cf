#include "quantize/weight_matrix.h"

#include "quantize/rows.h"

namespace mpq::quant {

std::vector<std::uint32_t> scale_number_of_each_weight(const ScaleLayout& layout) {
  const Rows rows(layout);
  std::vector<std::uint32_t> result(rows.count() * rows.length());
  constexpr std::size_t kSideBySide = 64;  // as many neighbouring rows share cache lines
  std::vector<std::uint32_t> numbers;
  for (std::size_t first = 0; first < rows.count(); first += kSideBySide) {
    const std::size_t count = std::min(kSideBySide, rows.count() - first);
    numbers.clear();
    for (std::size_t r = first; r < first + count; ++r) {
      numbers.insert(numbers.end(), rows.length(), static_cast<std::uint32_t>(r));
    }
    rows.scatter<std::uint32_t>(numbers.data(), first, count, result);
  }
  return result;
}

std::vector<float> scale_of_each_weight(const QuantizedTensor& tensor) {
  const std::vector<float> scales = scales_of(tensor);
  std::vector<float> result;
  for (const std::uint32_t number : scale_number_of_each_weight(tensor.layout)) result.push_back(scales[number]);
  return result;
}

}  // namespace mpq::quant
