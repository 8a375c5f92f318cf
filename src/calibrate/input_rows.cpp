#include "calibrate/input_rows.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

#include "support/values.h"

namespace mpq::calibrate {

namespace {

/// The activation as floats; copied only where it holds other numbers.
std::span<const float> floats_of(const Tensor& tensor, std::vector<float>& scratch) {
  if (tensor.type() == DType::kFloat32) return tensor.as<float>();
  scratch.reserve(static_cast<std::size_t>(tensor.size()));
  for_each_chunk(tensor, [&](std::span<const double> values) {
    for (const double value : values) scratch.push_back(static_cast<float>(value));
  });
  return scratch;
}

std::vector<std::size_t> evenly_spaced(std::size_t count, std::size_t most) {
  std::vector<std::size_t> picks(std::min(count, most));
  for (std::size_t i = 0; i < picks.size(); ++i) picks[i] = i * count / picks.size();
  return picks;
}

/// Hands the rows at `picks` on, made by gather(group, picks, rows) for group after group, split as asked for.
template <typename Gather>
void add_split(const std::vector<std::size_t>& picks, Split split, quant::InputStatistics& statistics,
               const Gather& gather) {
  std::vector<std::size_t> halves[2];
  for (std::size_t i = 0; i < picks.size(); ++i) {
    const bool held_out = split == Split::kHeldOut || (split == Split::kAlternate && i % 2 == 1);
    halves[held_out ? 1 : 0].push_back(picks[i]);
  }
  // A few thousand rows at a time: as patches they are many times larger than the activation.
  constexpr std::size_t kAtOnce = 2048;
  std::vector<float> rows;
  for (const bool to_fit : {true, false}) {
    const std::span<const std::size_t> half = halves[to_fit ? 0 : 1];
    for (std::size_t begin = 0; begin < half.size(); begin += kAtOnce) {
      const auto part = half.subspan(begin, std::min(kAtOnce, half.size() - begin));
      for (std::size_t group = 0; group < statistics.fit.size(); ++group) {
        gather(group, part, rows);
        statistics.add(group, to_fit, rows, part.size());
      }
    }
  }
}

bool add_patches(const InputUse& use, const Tensor& activation, Split split, std::size_t most_rows, std::size_t columns,
                 quant::InputStatistics& statistics) {
  const Patches patches(use.conv, activation.shape());
  if (!patches.valid() || patches.columns() != columns) return false;
  std::vector<float> scratch;
  const std::span<const float> values = floats_of(activation, scratch);
  std::vector<std::ptrdiff_t> taps;
  add_split(evenly_spaced(patches.positions(), most_rows), split, statistics,
            [&](std::size_t group, std::span<const std::size_t> picks, std::vector<float>& rows) {
              if (group == 0) taps = patches.taps(picks);
              patches.gather(values, group, picks, taps, rows);
            });
  return true;
}

}  // namespace

bool add_rows(const InputUse& use, const Tensor& activation, Split split, std::size_t most_rows,
              quant::InputStatistics& statistics) {
  if (statistics.fit.empty() || activation.type() == DType::kString) return false;
  const auto columns = static_cast<std::size_t>(statistics.fit[0].sum.size());
  if (use.kind == InputUse::Kind::kConv) {
    return add_patches(use, activation, split, most_rows, columns, statistics);
  }
  const auto& shape = activation.shape();
  const bool by_rows = use.kind == InputUse::Kind::kRows;
  if (shape.size() < (by_rows ? 1U : 2U)) return false;
  const std::int64_t inputs = by_rows ? shape.back() : shape[shape.size() - 2];
  if (inputs != static_cast<std::int64_t>(columns) || columns == 0) return false;
  std::vector<float> scratch;
  const std::span<const float> values = floats_of(activation, scratch);
  // Row i of the right operand of a product is column i % width of its matrix i / width.
  const std::size_t width = by_rows ? 1 : static_cast<std::size_t>(shape.back());
  add_split(evenly_spaced(values.size() / columns, most_rows), split, statistics,
            [&](std::size_t, std::span<const std::size_t> picks, std::vector<float>& rows) {
              rows.resize(picks.size() * columns);
              float* out = rows.data();
              for (const std::size_t pick : picks) {
                const float* first = values.data() + pick / width * columns * width + pick % width;
                for (std::size_t k = 0; k < columns; ++k) *out++ = first[k * width];
              }
            });
  return true;
}

}  // namespace mpq::calibrate
