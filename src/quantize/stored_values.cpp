#include <bit>
#include <cmath>
#include <limits>

#include "mpq/error.h"

#include "quantize/quantize_weight.h"
#include "quantize/rows.h"

namespace mpq::quant {

namespace {

/// Nearest bfloat16, ties to even, as a float.
float rounded_to_bfloat16(float value) {
  if (std::isnan(value)) return value;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000U);
}

/// Nearest half as a cast operator computes it: out of range becomes infinity (to_half saturates instead).
float rounded_to_half(float value) {
  constexpr float kOverflow = 65520;
  if (std::fabs(value) >= kOverflow) return std::copysign(std::numeric_limits<float>::infinity(), value);
  return from_half(to_half(value));
}

/// Layers of 16-bit floats get their weights back in that type.
void round_to_dtype(std::vector<float>& values, const std::string& dtype) {
  if (dtype == "float16") {
    for (float& value : values) value = rounded_to_half(value);
  } else if (dtype == "bfloat16") {
    for (float& value : values) value = rounded_to_bfloat16(value);
  }
}

}  // namespace

std::vector<float> dequantize(const QuantizedTensor& tensor) {
  const Rows rows(tensor.layout);
  const std::size_t length = rows.length();
  std::vector<float> values(tensor.values.size());
  std::vector<std::int8_t> integers(length);
  std::vector<float> products(length);
  for (std::size_t row = 0; row < rows.count(); ++row) {
    const float scale = from_half(tensor.scales[row]) * tensor.scale_multiplier;
    rows.gather<std::int8_t>(tensor.values, row, 1, integers.data());
    for (std::size_t i = 0; i < length; ++i) products[i] = static_cast<float>(integers[i]) * scale;
    rows.scatter<float>(products.data(), row, 1, values);
  }
  return values;
}

std::vector<float> stored_values(std::span<const float> weight, const Layer& layer, const Candidate& candidate,
                                 ScaleFit fit, int threads) {
  std::vector<float> values;
  if (candidate.has_scales()) {
    values = dequantize(quantize_weight(weight, layer, candidate, fit, threads));
  } else if (candidate.form == "half" || candidate.form == "float") {
    values.assign(weight.begin(), weight.end());
    if (candidate.form == "half") {
      for (float& value : values) value = from_half(to_half(value));
    }
  } else {
    throw Error(ErrorCode::kInternal, "The storage form '" + candidate.form + "' is not known.", layer.name);
  }
  if (candidate.form != "float") round_to_dtype(values, layer.dtype);
  return values;
}

}  // namespace mpq::quant
