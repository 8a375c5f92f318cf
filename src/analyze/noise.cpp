#include "analyze/noise.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "mpq/error.h"

#include "quantize/quantize_weight.h"
#include "quantize/rows.h"
#include "support/random.h"

namespace mpq::perturb {

namespace {

/// Rows that are walked side by side; their columns then share cache lines.
constexpr std::size_t kRowsAtOnce = 16;

/// Calls body(first row, number of rows) for all rows in portions.
void for_each_portion(const quant::Rows& rows, const std::function<void(std::size_t, std::size_t)>& body) {
  for (std::size_t first = 0; first < rows.count(); first += kRowsAtOnce) {
    body(first, std::min(kRowsAtOnce, rows.count() - first));
  }
}

/// Root mean square of the rounding error in every scale group.
std::vector<float> rounding_error_rms(std::span<const float> weight, const Layer& layer, const Candidate& candidate,
                                      quant::ScaleFit fit, const quant::ScaleLayout& layout) {
  const std::vector<float> stored = quant::stored_values(weight, layer, candidate, fit);
  const quant::Rows rows(layout);
  const std::size_t length = rows.length();
  std::vector<float> before(kRowsAtOnce * length), after(kRowsAtOnce * length), rms(rows.count());
  for_each_portion(rows, [&](std::size_t first, std::size_t count) {
    rows.gather<float>(weight, first, count, before.data());
    rows.gather<float>(stored, first, count, after.data());
    for (std::size_t r = 0; r < count; ++r) {
      double squares = 0;
      for (std::size_t i = r * length; i < (r + 1) * length; ++i) {
        const double error = static_cast<double>(after[i]) - before[i];
        squares += error * error;
      }
      rms[first + r] = static_cast<float>(std::sqrt(squares / static_cast<double>(length)));
    }
  });
  return rms;
}

/// The layout whose groups share an amplitude: the candidate's own scales, or the channels where it has no scales.
quant::ScaleLayout noise_layout(const Layer& layer, const Candidate& candidate) {
  return quant::scale_layout(layer, candidate.has_scales() ? candidate : Candidate{8, "grid", 0});
}

}  // namespace

Law parse_law(const std::string& name) {
  if (name == "quantization") return Law::kQuantization;
  if (name == "gaussian") return Law::kGaussian;
  if (name == "uniform") return Law::kUniform;
  if (name == "rademacher") return Law::kRademacher;
  throw Error(ErrorCode::kUsage,
              "\"" + name + "\" is no noise law; the laws are quantization, gaussian, uniform and rademacher.",
              "--noise");
}

Amplitude amplitude_of(Law law, std::span<const float> weight, const Layer& layer, const Candidate& candidate,
                       quant::ScaleFit fit) {
  Amplitude result{noise_layout(layer, candidate), {}};
  if (law == Law::kUniform && candidate.form == "grid") {
    const quant::QuantizedTensor grid = quant::quantize_weight(weight, layer, candidate, fit);
    for (const std::uint16_t scale : grid.scales) {
      // A scale may be negative (the grid's longer side then lies on the positive axis).
      result.per_group.push_back(std::fabs(quant::from_half(scale) * grid.scale_multiplier) / 2);
    }
    return result;
  }
  result.per_group = rounding_error_rms(weight, layer, candidate, fit, result.layout);
  if (law == Law::kUniform) {
    for (float& amplitude : result.per_group) amplitude *= std::sqrt(3.0F);
  }
  return result;
}

std::vector<float> draw_noise(Law law, std::uint64_t seed, const std::string& layer, std::uint64_t trial,
                              std::size_t count) {
  std::vector<float> noise(count);
  const Philox stream(mix_key(mix_key(seed, "weight noise"), layer), trial);
  if (law == Law::kGaussian) fill_gaussian(stream, noise);
  if (law == Law::kUniform) fill_uniform(stream, noise);
  if (law == Law::kRademacher) fill_rademacher(stream, noise);
  return noise;
}

void add_noise(std::span<const float> weight, std::span<const float> noise, const Amplitude& amplitude, float sign,
               std::span<float> out) {
  const quant::Rows rows(amplitude.layout);
  const std::size_t length = rows.length();
  std::vector<float> part(kRowsAtOnce * length), draws(kRowsAtOnce * length);
  for_each_portion(rows, [&](std::size_t first, std::size_t count) {
    rows.gather<float>(weight, first, count, part.data());
    rows.gather<float>(noise, first, count, draws.data());
    for (std::size_t r = 0; r < count; ++r) {
      const float scale = sign * amplitude.per_group[first + r];
      for (std::size_t i = r * length; i < (r + 1) * length; ++i) part[i] += scale * draws[i];
    }
    rows.scatter<float>(part.data(), first, count, out);
  });
}

}  // namespace mpq::perturb
