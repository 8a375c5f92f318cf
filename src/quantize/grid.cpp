#include "quantize/grid.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "mpq/error.h"
#include "mpq/tensor.h"

#include "quantize/rows.h"
#include "quantize/scale_fit.h"
#include "support/parallel.h"

namespace mpq::quant {

namespace {

/// Rows handled together: enough to share cache lines and to be worth a work item, few enough to stay in cache.
std::size_t group_size(std::size_t row_length) {
  constexpr std::size_t kWeights = 32768;
  return std::clamp<std::size_t>(kWeights / std::max<std::size_t>(row_length, 1), 1, 64);
}

/// Looking at every breakpoint finds up to a third less error than a scan on rows of a few weights (depthwise kernels),
/// nothing on long rows. A tensor may spend some ten milliseconds on it.
bool affords_sweep(const Rows& rows) {
  constexpr std::size_t kShortRow = 32;
  constexpr std::size_t kSmallTensor = 32768;
  return rows.length() <= kShortRow && rows.count() * rows.length() <= kSmallTensor;
}

float largest_magnitude(std::span<const float> row) {
  float largest = 0;
  for (const float w : row) largest = std::max(largest, std::fabs(w));
  return largest;
}

/// The best real scale of one row, before a common multiplier is chosen; 0 for a row of zeros.
float fit_row(std::span<float> row, ScaleSearch& search, ScaleFit fit) {
  const float largest = largest_magnitude(row);
  if (largest == 0) return 0;
  if (fit == ScaleFit::kMinMax) return search.min_max(row);
  // Squares neither overflow nor vanish when the row is brought to [1, 2) by a power of two.
  const int exponent = std::ilogb(largest);
  const float half_way = std::ldexp(1.0F, -exponent / 2);  // 2^149 alone would overflow
  const float rest = std::ldexp(1.0F, -exponent + exponent / 2);
  for (float& w : row) w = w * half_way * rest;
  return std::ldexp(search.best(row), exponent);
}

/// Power of two that puts the largest scale into [2^14, 2^15), so that scales down to 2^-28 of it stay normal halves.
float common_multiplier(std::span<const float> scales) {
  const float largest = largest_magnitude(scales);
  if (largest == 0) return 1;
  constexpr int kTop = 14;
  return std::ldexp(1.0F, std::clamp(std::ilogb(largest) - kTop, -126, 127));
}

/// Scales as they are stored. A row of zeros takes the largest scale, since a scale of 0 or next to 0 upsets
/// integer kernels; scales that would vanish keep half's smallest number. Where every row is zeros the scale is small:
/// the kernels round the activations, and a scale of 1 would let 1e-4 of that through (measured: ONNX Runtime 1.32).
std::vector<std::uint16_t> store_scales(std::span<const float> scales, float multiplier) {
  const float largest = largest_magnitude(scales);
  constexpr float kSmallestNormalHalf = 0x1p-14F;
  const float idle = largest > 0 ? largest / multiplier : kSmallestNormalHalf;
  std::vector<std::uint16_t> stored;
  stored.reserve(scales.size());
  for (const float scale : scales) {
    std::uint16_t half = to_half(scale == 0 ? idle : scale / multiplier);
    if ((half & 0x7fff) == 0) half = static_cast<std::uint16_t>(half | 1);
    if (!std::isfinite(from_half(half) * multiplier)) --half;  // rounded up to 2^128
    stored.push_back(half);
  }
  return stored;
}

/// Rounds a row; integers whose product a runtime would round to infinity take a step back.
void round_row(std::span<const float> row, float scale, IntegerRange range, float limit, std::int8_t* out) {
  round_to_grid(row, scale, range, out);
  if (std::fabs(scale) * static_cast<float>(-range.low) <= limit) return;
  for (std::size_t i = 0; i < row.size(); ++i) out[i] = finite_value(out[i], scale, limit);
}

}  // namespace

void check_weight(std::span<const float> weight, const Layer& layer, const ScaleLayout& layout) {
  std::size_t expected = 1;
  for (const std::int64_t extent : layout.view_shape) expected *= static_cast<std::size_t>(extent);
  if (weight.size() != expected) {
    throw Error(ErrorCode::kInternal,
                "The weight has " + std::to_string(weight.size()) + " numbers where its shape says " +
                    std::to_string(expected) + ".",
                layer.name);
  }
  const auto odd = std::find_if(weight.begin(), weight.end(), [](float w) { return !std::isfinite(w); });
  if (odd == weight.end()) return;
  throw Error(ErrorCode::kInvalidInput,
              std::string("The weight '") + layer.weight + "' holds " + (std::isnan(*odd) ? "NaN" : "infinity") +
                  " at element " + std::to_string(odd - weight.begin()) + ", which no integer grid can represent.",
              layer.name, "Repair the model, or leave this layer as it is with --keep '" + layer.name + "'.");
}

float largest_product(const std::string& dtype) {
  if (dtype == "float16") return std::nextafter(65520.0F, 0.0F);
  if (dtype == "bfloat16") return std::nextafter(0x1.ffp127F, 0.0F);
  return std::numeric_limits<float>::max();
}

std::vector<float> scales_of(const QuantizedTensor& tensor) {
  std::vector<float> scales;
  scales.reserve(tensor.scales.size());
  for (const std::uint16_t scale : tensor.scales) scales.push_back(from_half(scale) * tensor.scale_multiplier);
  return scales;
}

void set_scales(std::span<const float> scales, QuantizedTensor& tensor) {
  tensor.scale_multiplier = common_multiplier(scales);
  tensor.scales = store_scales(scales, tensor.scale_multiplier);
}

QuantizedTensor quantize_grid(std::span<const float> weight, const Layer& layer, const Candidate& candidate,
                              ScaleFit fit, int threads) {
  QuantizedTensor result{candidate, layer.shape, scale_layout(layer, candidate), {}, {}, 1};
  check_weight(weight, layer, result.layout);
  const Rows rows(result.layout);
  const std::size_t length = rows.length();
  const std::size_t group = group_size(length);
  const std::size_t groups = (rows.count() + group - 1) / group;
  const int workers = resolve_threads(threads);
  const std::vector<std::uint8_t> widths = widths_of_rows(layer, candidate, rows.count());

  struct Scratch {
    std::vector<float> weights;
    std::vector<std::int8_t> values;
    std::map<int, ScaleSearch> searches;  ///< by width
  };
  Scratch fresh;
  for (const int width : widths) fresh.searches.try_emplace(width, width, affords_sweep(rows));
  std::vector<Scratch> scratch(static_cast<std::size_t>(workers), fresh);
  const auto for_each_group = [&](const auto& body) {
    parallel_for(groups, workers, [&](std::size_t index, int worker) {
      const std::size_t first = index * group;
      const std::size_t count = std::min(group, rows.count() - first);
      Scratch& own = scratch[static_cast<std::size_t>(worker)];
      own.weights.resize(group * length);
      own.values.resize(group * length);
      rows.gather(weight, first, count, own.weights.data());
      for (std::size_t r = 0; r < count; ++r) {
        body(first + r, std::span<float>(own.weights).subspan(r * length, length), own.values.data() + r * length, own);
      }
      if (!result.values.empty()) rows.scatter<std::int8_t>(own.values.data(), first, count, result.values);
    });
  };

  std::vector<float> scales(rows.count());
  for_each_group([&](std::size_t row, std::span<float> weights, std::int8_t*, Scratch& own) {
    scales[row] = fit_row(weights, own.searches.at(widths[row]), fit);
  });
  set_scales(scales, result);

  result.values.resize(weight.size());
  const float limit = largest_product(layer.dtype);
  for_each_group([&](std::size_t row, std::span<float> weights, std::int8_t* values, Scratch&) {
    const float scale = from_half(result.scales[row]) * result.scale_multiplier;
    round_row(weights, scale, IntegerRange(widths[row]), limit, values);
  });
  return result;
}

}  // namespace mpq::quant
