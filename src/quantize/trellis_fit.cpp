#include "quantize/trellis_fit.h"

#include <algorithm>
#include <cmath>

#include "quantize/entry_fit.h"
#include "quantize/trellis.h"
#include "quantize/weight_matrix.h"

namespace mpq::quant {

namespace {

/// A layer's weights as the stream meets them.
struct Stream {
  std::span<const float> weights;      ///< C order of the tensor
  std::vector<std::uint32_t> order;    ///< offset of every weight of the stream
  std::vector<std::uint32_t> numbers;  ///< of the scale of every weight of the tensor

  std::size_t size() const { return order.size(); }
  std::vector<float> ratios(std::span<const float> scales, std::size_t begin, std::size_t count) const {
    std::vector<float> result(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t offset = order[begin + i];
      const float scale = scales[numbers[offset]];
      if (scale != 0) result[i] = weights[offset] / scale;
    }
    return result;
  }
};

constexpr double kHighest = 127;
/// A trellis wants its entries closer than a scalar codebook of as many, for each weight has but half of them to choose
/// among. Found on Gaussian weights at 4 bits (.93: 2 % more error, .8: 5 % more).
constexpr double kCloser = 0.87;

/// Rounded to integers, each larger than the one before.
std::vector<std::int8_t> to_integers(const std::vector<double>& entries) {
  std::vector<std::int8_t> result(entries.size());
  const auto count = static_cast<double>(entries.size());
  double last = -kHighest - 1;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const double room = kHighest - (count - 1 - static_cast<double>(i));  // for those that follow
    last = std::clamp(std::nearbyint(entries[i]), last + 1, room);
    result[i] = static_cast<std::int8_t>(last);
  }
  return result;
}

/// One turn: pieces of the stream take their paths, and every entry moves to the mean of the weights that took it. The
/// entries are kept as real numbers, or turns that move them by less than a half would be lost.
void move_entries(const Stream& stream, std::span<const float> scales, std::vector<double>& entries) {
  constexpr std::size_t kPiece = 2048, kPieces = 12, kValues = 256;
  const std::vector<std::int8_t> integers = to_integers(entries);
  const TrellisTable table(integers);
  std::vector<double> sums(kValues), counts(kValues);  // by the entry taken
  const std::size_t pieces = std::min(kPieces, (stream.size() + kPiece - 1) / kPiece);
  for (std::size_t piece = 0; piece < pieces; ++piece) {
    const std::size_t begin = stream.size() * piece / pieces, end = stream.size() * (piece + 1) / pieces;
    const std::vector<float> ratios = stream.ratios(scales, begin, std::min(kPiece, end - begin));
    std::vector<float> taken(ratios.size());
    TrellisStream(ratios.size(), table).round(ratios, 0, taken.data());
    for (std::size_t i = 0; i < ratios.size(); ++i) {
      const auto value = static_cast<std::size_t>(static_cast<int>(taken[i]) + 128);
      sums[value] += static_cast<double>(ratios[i]);
      counts[value] += 1;
    }
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto value = static_cast<std::size_t>(integers[i] + 128);
    if (counts[value] > 0) entries[i] = sums[value] / counts[value];
  }
  std::sort(entries.begin(), entries.end());
}

/// Entries as large as 8 bits hold, and the scales smaller by as much: the larger, the finer they are told apart.
void stretch(std::vector<double>& entries, std::vector<float>& scales) {
  const double reach = std::max(std::fabs(entries.front()), std::fabs(entries.back()));
  if (!(reach > 0) || reach > kHighest) return;
  for (double& entry : entries) entry *= kHighest / reach;
  for (float& scale : scales) scale *= static_cast<float>(reach / kHighest);
}

/// The best path for these scales: the entries taken, in C order of the tensor.
std::vector<std::int8_t> path_of(const Stream& stream, std::span<const float> scales,
                                 const std::vector<std::int8_t>& entries) {
  constexpr std::size_t kPiece = 65536;  // what is held as floats
  const TrellisTable table(entries);
  TrellisStream path(stream.size(), table);
  std::vector<std::int8_t> values(stream.size());
  std::vector<float> taken(kPiece);
  for (std::size_t begin = 0; begin < stream.size(); begin += kPiece) {
    const std::vector<float> ratios = stream.ratios(scales, begin, std::min(kPiece, stream.size() - begin));
    path.round(ratios, begin, taken.data());
    for (std::size_t i = 0; i < ratios.size(); ++i) {
      values[stream.order[begin + i]] = static_cast<std::int8_t>(taken[i]);
    }
  }
  return values;
}

void fit_scales(const Stream& stream, std::span<const std::int8_t> values, std::vector<float>& scales) {
  std::vector<double> wq(scales.size()), qq(scales.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double q = values[i];
    wq[stream.numbers[i]] += static_cast<double>(stream.weights[i]) * q;
    qq[stream.numbers[i]] += q * q;
  }
  for (std::size_t r = 0; r < scales.size(); ++r) {
    if (scales[r] != 0 && wq[r] != 0) scales[r] = static_cast<float>(wq[r] / qq[r]);
  }
}

}  // namespace

void keep_finite(const Layer& layer, std::span<const std::int8_t> entries, std::span<float> scales) {
  float largest = 1;
  for (const std::int8_t entry : entries) largest = std::max(largest, std::fabs(static_cast<float>(entry)));
  constexpr float kRoundedUp = 1 + 0x1p-10F;  // what becomes of a scale at most when it is stored as a half
  const float limit = largest_product(layer.dtype) / (largest * kRoundedUp);
  for (float& scale : scales) scale = std::clamp(scale, -limit, limit);
}

QuantizedTensor quantize_trellis(std::span<const float> weight, const Layer& layer, const Candidate& candidate) {
  constexpr int kTurns = 6;
  QuantizedTensor result{candidate, layer.shape, scale_layout(layer, candidate), {}, {}, 1};
  check_weight(weight, layer, result.layout);
  std::vector<float> scales;
  std::vector<double> entries;
  {
    EntryFit fit(weight, Rows(result.layout));
    fit.run(candidate.entries());
    scales = fit.scales();
    for (const std::int8_t entry : fit.entries()) entries.push_back(kCloser * entry);
  }
  const Stream stream{weight, trellis_order(layer), scale_number_of_each_weight(result.layout)};
  const auto improve = [&](int turns) {
    stretch(entries, scales);
    for (int turn = 0; turn < turns; ++turn) move_entries(stream, scales, entries);
    result.entries = to_integers(entries);
  };
  improve(kTurns);
  fit_scales(stream, path_of(stream, scales, result.entries), scales);
  improve(kTurns / 2);
  give_idle_rows_a_scale(scales);
  keep_finite(layer, result.entries, scales);
  set_scales(scales, result);
  result.values = path_of(stream, scales_of(result), result.entries);
  return result;
}

}  // namespace mpq::quant
