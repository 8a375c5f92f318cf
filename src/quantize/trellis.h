#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mpq/layer.h"

namespace mpq::quant {

/// Trellis-coded quantization (Marcellin and Fischer 1990; of neural weights: Tseng et al., QTIP, 2024). A weight of b
/// bits chooses among 2^(b+1) entries, twice as many as its bits can name, because which half of them it may take
/// follows from the weights before it. One of its bits is the path bit u; sorted entry number i is
///
///   i = 4 upper + 2 (u[t] ^ u[t-2] ^ u[t-5]) + u[t-3]
///
/// with the other b - 1 bits as `upper`: Ungerboeck's code of 32 states (1982; parity checks 10 and 45, octal). Given
/// the numbers, the path of least squared error is found by the algorithm of Viterbi. A path looks back, never
/// forward, so that all numbers can be read at once.
///
/// Weights follow each other in the order of trellis_axes; the stream is cut into eight strands of equal length, which
/// are the bits of the bytes of a packed plane, and before a strand's first weight all path bits are 0.
inline constexpr int kTrellisMemory = 5;
inline constexpr int kTrellisStates = 1 << kTrellisMemory;
inline constexpr std::size_t kStrands = 8;

/// Axes of a weight in the order in which they are walked, the last one the fastest: those that are not channels first,
/// so that all output channels of an input stand side by side and second-order rounding, which goes from input to
/// input, rounds them as one run. Tables are walked as they are.
std::vector<int> trellis_axes(const Layer& layer);

/// Offset in the C-order tensor of every weight, as they are walked.
std::vector<std::uint32_t> trellis_order(const Layer& layer);

/// Length of a strand of a stream of `count` weights.
inline std::size_t strand_length(std::size_t count) { return (count + kStrands - 1) / kStrands; }

/// Codes of b bits (2 upper + u) of a stream of entry numbers, and back. Throws Error{kInternal} for a stream that no
/// path makes.
std::vector<std::uint8_t> trellis_codes(std::span<const std::uint8_t> entries);
std::vector<std::uint8_t> trellis_entries(std::span<const std::uint8_t> codes);

/// For every half step of a ratio the nearest entry of each of the four subsets (i mod 4).
class TrellisTable {
 public:
  /// `entries`: sorted, 8 or more, a multiple of 4.
  explicit TrellisTable(std::span<const std::int8_t> entries);
  const float* data() const { return table_.data(); }
  /// The four nearest entries.
  const float* at(float ratio) const;

 private:
  std::vector<float> table_;
};

/// A stream while its weights are rounded, run by run in any order: a run starts from what stands before it and ends
/// in what a run behind it took for granted.
class TrellisStream {
 public:
  TrellisStream(std::size_t count, const TrellisTable& table);

  /// Rounds weights [begin, begin + ratios.size()), given in units of their scales, to the entries of least squared
  /// error that a path allows. Where the run before is not rounded yet, this one starts as suits it best.
  void round(std::span<const float> ratios, std::size_t begin, float* entries);

 private:
  void round_within_strand(std::span<const float> ratios, std::size_t begin, std::size_t strand, float* entries);
  unsigned state_before(std::size_t place, std::size_t strand) const;

  const TrellisTable& table_;
  std::size_t strand_length_;
  std::vector<std::uint8_t> path_;     ///< the path bit of every weight
  std::vector<std::uint8_t> decided_;  ///< whether it is rounded
  std::vector<float> metrics_;
};

}  // namespace mpq::quant
