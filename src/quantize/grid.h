#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mpq/layer.h"

namespace mpq::quant {

/// How the scales of a grid lie over a weight: the weight is viewed with `view_shape` (the block axis split into
/// [blocks, block] when the candidate has blocks), and the scale tensor has `scale_shape` of the same rank, with 1 on
/// every axis that shares a scale, so that value * scale broadcasts.
struct ScaleLayout {
  std::vector<std::int64_t> view_shape;
  std::vector<std::int64_t> scale_shape;
  std::int64_t scale_count() const;
};
ScaleLayout scale_layout(const Layer& layer, const Candidate& candidate);

/// The width of every row: the candidate's own, or its one for all. Throws Error{kInternal} where it has widths for
/// another number of rows.
std::vector<std::uint8_t> widths_of_rows(const Layer& layer, const Candidate& candidate, std::size_t rows);

/// A weight as integers and scales: w ~= value * scale, value in [-2^(b-1), 2^(b-1) - 1] or an entry of a trellis.
/// The scales are held as they are stored: IEEE half times a power of two, so the float product is exact to reproduce.
struct QuantizedTensor {
  Candidate candidate;
  std::vector<std::int64_t> shape;
  ScaleLayout layout;
  std::vector<std::int8_t> values;        ///< C order of `shape`
  std::vector<std::uint16_t> scales;      ///< IEEE binary16 bits, C order of layout.scale_shape
  float scale_multiplier = 1;             ///< power of two
  std::vector<std::int8_t> entries = {};  ///< trellises only: the 2^(b+1) numbers `values` are taken from, sorted
};

/// How a grid's scales are found.
///   kMse:    the scale (its size and its sign) that minimises the squared error of every channel or block
///   kMinMax: largest magnitude / (2^(b-1) - 1): plain round-to-nearest, the baseline everybody knows
enum class ScaleFit { kMse, kMinMax };

/// Rounds to nearest (ties to even) on the fitted grid. Non-finite weights are Error{kInvalidInput}.
/// The integers are rounded with the scale as it is stored; a row of zeros takes the tensor's largest scale.
/// No product reaches infinity in the layer's dtype. `threads`: 0 = all cores; the result does not depend on it.
QuantizedTensor quantize_grid(std::span<const float> weight, const Layer& layer, const Candidate& candidate,
                              ScaleFit fit = ScaleFit::kMse, int threads = 1);

/// The scales as they stand in `tensor`, and replaced by others; each is stored as the nearest half times a common
/// power of two, so numbers of half precision's 11 bits stay what they are. The integers are left alone.
std::vector<float> scales_of(const QuantizedTensor& tensor);
void set_scales(std::span<const float> scales, QuantizedTensor& tensor);

/// Throws Error{kInternal} for a weight of another size than the layout's, Error{kInvalidInput} for NaN and infinity.
void check_weight(std::span<const float> weight, const Layer& layer, const ScaleLayout& layout);

/// Largest float that does not round to infinity in a weight's own type.
float largest_product(const std::string& dtype);

/// The floats a runtime computes from it: float(value) * (float(half scale) * multiplier), bit for bit.
std::vector<float> dequantize(const QuantizedTensor& tensor);

/// The floats a runtime sees when `weight` is stored as `candidate` (grid, trellis, half or float), bit for bit: for
/// layers of float16 or bfloat16 the float product (or half) rounded to that type.
std::vector<float> stored_values(std::span<const float> weight, const Layer& layer, const Candidate& candidate,
                                 ScaleFit fit = ScaleFit::kMse, int threads = 1);

/// IEEE binary16 conversions, round to nearest even. Finite floats beyond half's range become +-65504 instead of
/// infinity, so that storing a weight as half never destroys it; infinity and NaN stay what they are.
std::uint16_t to_half(float value);
float from_half(std::uint16_t bits);

}  // namespace mpq::quant
