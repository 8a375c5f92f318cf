#include "analyze/noise.h"

#include <cmath>
#include <functional>

#include "mpq/error.h"

#include "support/random.h"

namespace mpq::perturb {

namespace {

/// A stretch of consecutive weights whose scale group is `group + step * i`.
struct Run {
  std::size_t begin, length, group, step;
};

/// Walks a weight in C order along the innermost axis of its view.
void for_each_run(const quant::ScaleLayout& layout, const std::function<void(const Run&)>& body) {
  const std::size_t rank = layout.view_shape.size();
  if (rank == 0) return body({0, 1, 0, 0});
  std::vector<std::size_t> group_stride(rank, 0), index(rank, 0);
  std::size_t stride = 1, runs = 1;
  for (std::size_t axis = rank; axis-- > 0;) {
    const auto scales = static_cast<std::size_t>(layout.scale_shape[axis]);
    group_stride[axis] = scales > 1 ? stride : 0;
    stride *= scales;
    if (axis + 1 < rank) runs *= static_cast<std::size_t>(layout.view_shape[axis]);
  }
  const auto length = static_cast<std::size_t>(layout.view_shape[rank - 1]);
  for (std::size_t run = 0; run < runs; ++run) {
    std::size_t group = 0;
    for (std::size_t axis = 0; axis + 1 < rank; ++axis) group += index[axis] * group_stride[axis];
    body({run * length, length, group, group_stride[rank - 1]});
    for (std::size_t axis = rank - 1; axis-- > 0;) {
      if (++index[axis] < static_cast<std::size_t>(layout.view_shape[axis])) break;
      index[axis] = 0;
    }
  }
}

/// Root mean square of the rounding error in every scale group.
std::vector<float> rounding_error_rms(std::span<const float> weight, const Layer& layer, const Candidate& candidate,
                                      quant::ScaleFit fit, const quant::ScaleLayout& layout) {
  const std::vector<float> stored = quant::stored_values(weight, layer, candidate, fit);
  const auto groups = static_cast<std::size_t>(layout.scale_count());
  std::vector<double> squares(groups, 0.0), counts(groups, 0.0);
  for_each_run(layout, [&](const Run& run) {
    for (std::size_t i = 0; i < run.length; ++i) {
      const double error = static_cast<double>(stored[run.begin + i]) - weight[run.begin + i];
      squares[run.group + run.step * i] += error * error;
      counts[run.group + run.step * i] += 1;
    }
  });
  std::vector<float> rms(groups);
  for (std::size_t g = 0; g < groups; ++g) rms[g] = static_cast<float>(std::sqrt(squares[g] / counts[g]));
  return rms;
}

/// The layout whose groups share an amplitude: the candidate's own scales, or the channels where it has no scales.
quant::ScaleLayout noise_layout(const Layer& layer, const Candidate& candidate) {
  return quant::scale_layout(layer, candidate.form == "grid" ? candidate : Candidate{8, "grid", 0});
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
    const quant::QuantizedTensor grid = quant::quantize_grid(weight, layer, candidate, fit);
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
  for_each_run(amplitude.layout, [&](const Run& run) {
    for (std::size_t i = 0; i < run.length; ++i) {
      const std::size_t at = run.begin + i;
      out[at] = weight[at] + sign * amplitude.per_group[run.group + run.step * i] * noise[at];
    }
  });
}

}  // namespace mpq::perturb
