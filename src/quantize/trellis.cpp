#include "quantize/trellis.h"

#include <algorithm>

#include "mpq/error.h"

#include "quantize/kernels/kernels.h"

namespace mpq::quant {

namespace {

constexpr unsigned kStateMask = kTrellisStates - 1;
constexpr float kUnreachable = 1e30F;

/// Subset (entry number mod 4) of the weight whose path bits are `window`, its own the lowest.
constexpr unsigned subset_of(unsigned window) {
  const unsigned high = (window ^ (window >> 2) ^ (window >> 5)) & 1U, low = (window >> 3) & 1U;
  return 2 * high + low;
}

/// Calls visit(place, window so far: path bits before it within its strand) from the first weight to the last; visit
/// returns the weight's own path bit.
template <typename Visit>
void walk(std::size_t count, const Visit& visit) {
  const std::size_t length = strand_length(count);
  for (std::size_t begin = 0; begin < count; begin += length) {
    unsigned state = 0;
    for (std::size_t place = begin; place < std::min(begin + length, count); ++place) {
      state = ((state << 1) | visit(place, state)) & kStateMask;
    }
  }
}

}  // namespace

std::vector<int> trellis_axes(const Layer& layer) {
  std::vector<int> axes, channels;
  const bool table = layer.op == "Gather";
  for (int axis = 0; axis < static_cast<int>(layer.shape.size()); ++axis) {
    const bool channel = std::count(layer.channel_axes.begin(), layer.channel_axes.end(), axis) > 0;
    (channel && !table ? channels : axes).push_back(axis);
  }
  axes.insert(axes.end(), channels.begin(), channels.end());
  return axes;
}

std::vector<std::uint32_t> trellis_order(const Layer& layer) {
  const std::vector<int> axes = trellis_axes(layer);
  std::vector<std::uint32_t> strides(layer.shape.size(), 1);
  for (std::size_t axis = strides.size(); axis-- > 1;) {
    strides[axis - 1] = strides[axis] * static_cast<std::uint32_t>(layer.shape[axis]);
  }
  std::vector<std::uint32_t> order{0};
  order.reserve(static_cast<std::size_t>(layer.parameters));
  for (const int axis : axes) {
    const auto extent = static_cast<std::uint32_t>(layer.shape[static_cast<std::size_t>(axis)]);
    std::vector<std::uint32_t> finer;
    finer.reserve(order.size() * extent);
    for (const std::uint32_t offset : order) {
      for (std::uint32_t i = 0; i < extent; ++i) finer.push_back(offset + i * strides[static_cast<std::size_t>(axis)]);
    }
    order = std::move(finer);
  }
  return order;
}

std::vector<std::uint8_t> trellis_codes(std::span<const std::uint8_t> entries) {
  std::vector<std::uint8_t> codes(entries.size());
  walk(entries.size(), [&](std::size_t place, unsigned state) {
    const unsigned entry = entries[place], subset = entry % 4;
    const unsigned bit = (subset_of(state << 1) ^ subset) >> 1;
    if (subset_of((state << 1) | bit) != subset) {
      throw Error(ErrorCode::kInternal, "Weight " + std::to_string(place) + " of a trellis lies on no path.");
    }
    codes[place] = static_cast<std::uint8_t>(2 * (entry / 4) + bit);
    return bit;
  });
  return codes;
}

std::vector<std::uint8_t> trellis_entries(std::span<const std::uint8_t> codes) {
  std::vector<std::uint8_t> entries(codes.size());
  walk(codes.size(), [&](std::size_t place, unsigned state) {
    const unsigned bit = codes[place] % 2U;
    entries[place] = static_cast<std::uint8_t>(4 * (codes[place] / 2U) + subset_of((state << 1) | bit));
    return bit;
  });
  return entries;
}

TrellisTable::TrellisTable(std::span<const std::int8_t> entries) : table_(4 * kernels::kHalfSteps) {
  for (std::size_t subset = 0; subset < 4; ++subset) {
    std::size_t next = subset;
    for (int step = 0; step < kernels::kHalfSteps; ++step) {
      // Step s holds ratios from (s - 256) / 2 on: the lower end decides.
      const auto nearer = [&] { return step - kernels::kHalfSteps / 2 >= entries[next] + entries[next + 4]; };
      while (next + 4 < entries.size() && nearer()) next += 4;
      table_[4 * static_cast<std::size_t>(step) + subset] = static_cast<float>(entries[next]);
    }
  }
}

const float* TrellisTable::at(float ratio) const { return table_.data() + 4 * kernels::half_step(ratio); }

TrellisStream::TrellisStream(std::size_t count, const TrellisTable& table)
    : table_(table), strand_length_(strand_length(count)), path_(count), decided_(count) {}

unsigned TrellisStream::state_before(std::size_t place, std::size_t strand) const {
  unsigned state = 0;
  for (std::size_t back = 1; back <= kTrellisMemory && place >= strand + back; ++back) {
    state |= static_cast<unsigned>(path_[place - back]) << (back - 1);
  }
  return state;
}

void TrellisStream::round(std::span<const float> ratios, std::size_t begin, float* entries) {
  constexpr std::size_t kLongest = 4096;  // of what is held in memory; a longer run is decided piece by piece
  for (std::size_t done = 0; done < ratios.size();) {
    const std::size_t place = begin + done, strand = place / strand_length_ * strand_length_;
    const std::size_t here = std::min({ratios.size() - done, strand + strand_length_ - place, kLongest});
    round_within_strand(ratios.subspan(done, here), place, strand, entries + done);
    done += here;
  }
}

void TrellisStream::round_within_strand(std::span<const float> ratios, std::size_t begin, std::size_t strand,
                                        float* entries) {
  const std::size_t count = ratios.size(), end = begin + count;
  metrics_.resize((count + 1) * kTrellisStates);
  const bool follows = begin == strand || decided_[begin - 1] != 0;
  const unsigned start = state_before(begin, strand);
  // Nothing stands before the strand: bits that reach further back are 0.
  const unsigned free_states = begin - strand < kTrellisMemory ? 1U << (begin - strand) : kTrellisStates;
  for (unsigned state = 0; state < kTrellisStates; ++state) {
    const bool possible = follows ? state == start : state < free_states;
    metrics_[state] = possible ? 0 : kUnreachable;
  }
  kernels::best().trellis({ratios.data(), count, table_.data(), metrics_.data()});

  const float* last = metrics_.data() + count * kTrellisStates;
  const bool bound = end < path_.size() && end < strand + strand_length_ && decided_[end] != 0;
  unsigned state =
      bound ? state_before(end, strand) : static_cast<unsigned>(std::min_element(last, last + kTrellisStates) - last);
  for (std::size_t t = count; t-- > 0;) {
    const float* before = metrics_.data() + t * kTrellisStates;
    const float* nearest = table_.at(ratios[t]);
    const auto cost = [&](unsigned previous) {
      const float entry = nearest[subset_of((previous << 1) | (state & 1U))], rest = ratios[t] - entry;
      return before[previous] + rest * rest;
    };
    const unsigned recent = state >> 1, old = recent | (kTrellisStates >> 1);
    const unsigned previous = cost(old) < cost(recent) ? old : recent;
    entries[t] = nearest[subset_of((previous << 1) | (state & 1U))];
    path_[begin + t] = static_cast<std::uint8_t>(state & 1U);
    decided_[begin + t] = 1;
    state = previous;
  }
  if (follows) return;
  for (std::size_t back = 1; back <= kTrellisMemory && begin >= strand + back; ++back) {
    path_[begin - back] = static_cast<std::uint8_t>((state >> (back - 1)) & 1U);
  }
}

}  // namespace mpq::quant
