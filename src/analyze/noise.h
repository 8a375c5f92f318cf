#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mpq/layer.h"

#include "quantize/grid.h"

namespace mpq::perturb {

/// How a weight is perturbed. The patent leaves the law open; kQuantization is the error the candidate really makes.
enum class Law { kQuantization, kGaussian, kUniform, kRademacher };

/// From AnalyzeOptions::noise. Throws Error{kUsage}.
Law parse_law(const std::string& name);

/// How strong the random noise of one candidate is: E = amplitude(scale group) * unit noise.
///   kGaussian, kRademacher (unit variance): root mean square of the candidate's rounding error in the group
///   kUniform (unit noise on [-1, 1)):        half a step of the candidate's grid; for half floats, which have no
///                                            single step, sqrt(3) times the rounding error's root mean square
struct Amplitude {
  quant::ScaleLayout layout;
  std::vector<float> per_group;  ///< one per scale of the layout
};
Amplitude amplitude_of(Law law, std::span<const float> weight, const Layer& layer, const Candidate& candidate,
                       quant::ScaleFit fit);

/// Unit noise of one trial. Keyed by (seed, layer, trial) and not by the candidate: all candidates of a layer
/// see the same draw (common random numbers), so their differences are sharper than their levels.
std::vector<float> draw_noise(Law law, std::uint64_t seed, const std::string& layer, std::uint64_t trial,
                              std::size_t count);

/// weight + sign * amplitude * noise.
void add_noise(std::span<const float> weight, std::span<const float> noise, const Amplitude& amplitude, float sign,
               std::span<float> out);

}  // namespace mpq::perturb
