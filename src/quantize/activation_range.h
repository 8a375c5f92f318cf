#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mpq::quant {

/// A grid of 256 unsigned integers over activations: x ~= scale * (q - zero_point). Zero lies on it exactly, so that
/// padding does.
struct ActivationGrid {
  float scale = 1;
  std::uint8_t zero_point = 0;
  bool operator==(const ActivationGrid&) const = default;
};

/// The grid over [low, high], widened to hold zero. Throws Error{kInternal} for bounds that are not finite.
ActivationGrid grid_over(double low, double high);

/// x as it comes back from the grid: rounded to nearest even as ONNX's QuantizeLinear does.
void round_to_grid(std::span<float> values, const ActivationGrid& grid);

/// How the bounds of a grid are found from what was seen of a tensor.
///   minmax:       least and largest value
///   percentile:   but for the outermost 0.01 % of the values
///   mse:          the bounds of least squared error, clipping included
///   entropy:      the bounds whose 256 steps keep the distribution best (Kullback-Leibler; Migacz 2017)
enum class RangeMethod { kMinMax, kPercentile, kMse, kEntropy };
inline constexpr RangeMethod kRangeMethods[] = {RangeMethod::kMinMax, RangeMethod::kPercentile, RangeMethod::kMse,
                                                RangeMethod::kEntropy};
const char* to_string(RangeMethod method);

/// The distribution of one tensor's values, gathered as they come: a histogram around zero whose range doubles, by
/// merging neighbours, whenever a value lies outside. Memory does not grow with the number of values.
class ActivationHistogram {
 public:
  void add(std::span<const float> values);

  /// Values seen that are numbers and no sentinels.
  std::int64_t count() const { return count_; }
  /// Infinities, NaNs and magnitudes beyond 1e15, which stand for "masked" and not for a quantity (an attention mask
  /// reaches -3.4e38). They are not in the histogram.
  std::int64_t sentinels() const { return sentinels_; }
  double least() const { return least_; }
  double largest() const { return largest_; }

  /// The grid the method finds. Needs count() > 0.
  ActivationGrid grid(RangeMethod method) const;
  /// Mean squared error of that grid over the histogram's values, the centre of each bin standing for all in it.
  double mean_squared_error(const ActivationGrid& grid) const;

 private:
  static constexpr std::size_t kBins = 4096;
  double width() const { return 2 * reach_ / static_cast<double>(kBins); }
  double centre(std::size_t bin) const { return -reach_ + (static_cast<double>(bin) + 0.5) * width(); }
  void widen(double magnitude);
  ActivationGrid percentile_grid() const;
  ActivationGrid mse_grid() const;
  ActivationGrid entropy_grid() const;

  std::vector<double> bins_ = std::vector<double>(kBins);
  double reach_ = 0;  // bins cover [-reach, reach]
  double least_ = 0, largest_ = 0;
  std::int64_t count_ = 0, sentinels_ = 0;
};

}  // namespace mpq::quant
