#include "quantize/rounding.h"

#include <cmath>

#include "quantize/kernels/kernels.h"

namespace mpq::quant {

namespace {

kernels::GridRow on_grid(std::span<const float> row, float scale, IntegerRange range) {
  return {row.data(), row.size(), scale, static_cast<float>(range.low), static_cast<float>(range.high)};
}

}  // namespace

void round_to_grid(std::span<const float> row, float scale, IntegerRange range, std::int8_t* out) {
  kernels::best().round_row(on_grid(row, scale, range), out);
}

double squared_error(std::span<const float> row, float scale, IntegerRange range) {
  return kernels::best().squared_error(on_grid(row, scale, range));
}

Moments rounding_moments(std::span<const float> row, float scale, IntegerRange range) {
  const kernels::RowMoments sums = kernels::best().moments(on_grid(row, scale, range));
  return {sums.error, sums.wq, sums.qq};
}

std::int8_t finite_value(std::int8_t value, float scale, float limit) {
  while (std::fabs(static_cast<float>(value) * scale) > limit) {
    value = static_cast<std::int8_t>(value + (value > 0 ? -1 : 1));
  }
  return value;
}

}  // namespace mpq::quant
