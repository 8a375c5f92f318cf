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

/// An activation as it arrives, and as it arrived before anything was quantized.
struct Pair {
  std::span<const float> now, before;
};

/// Hands the rows at `picks` on, made by gather(values, group, picks, rows) for group after group, split as asked for.
template <typename Gather>
void add_split(const Pair& values, const std::vector<std::size_t>& picks, Split split, quant::RowCollector& collector,
               const Gather& gather) {
  std::vector<std::size_t> halves[2];
  for (std::size_t i = 0; i < picks.size(); ++i) {
    const bool held_out = split == Split::kHeldOut || (split == Split::kAlternate && i % 2 == 1);
    halves[held_out ? 1 : 0].push_back(picks[i]);
  }
  // A few thousand rows at a time: as patches they are many times larger than the activation.
  constexpr std::size_t kAtOnce = 2048;
  std::vector<float> rows, before;
  const bool drifts = collector.drifts();
  for (const bool to_fit : {true, false}) {
    const std::span<const std::size_t> half = halves[to_fit ? 0 : 1];
    for (std::size_t begin = 0; begin < half.size(); begin += kAtOnce) {
      const auto part = half.subspan(begin, std::min(kAtOnce, half.size() - begin));
      for (std::size_t group = 0; group < collector.groups(); ++group) {
        gather(values.now, group, part, rows);
        if (drifts) gather(values.before, group, part, before);
        collector.add(group, to_fit, rows, part.size(), before);
      }
    }
  }
}

bool add_patches(const InputUse& use, const std::vector<std::int64_t>& shape, const Pair& values, Split split,
                 std::size_t most_rows, quant::RowCollector& collector) {
  const Patches patches(use.conv, shape);
  const auto columns = collector.columns();
  if (!patches.valid() || patches.columns() != columns) return false;
  std::vector<std::ptrdiff_t> taps;
  std::size_t tapped = patches.positions();  // where the taps begin; no position yet
  add_split(values, evenly_spaced(patches.positions(), most_rows), split, collector,
            [&](std::span<const float> input, std::size_t group, std::span<const std::size_t> picks,
                std::vector<float>& rows) {
              if (tapped != picks[0]) taps = patches.taps(picks);
              tapped = picks[0];
              patches.gather(input, group, picks, taps, rows);
            });
  return true;
}

/// Every state a step starts from: of `time` steps that leave one, all but the last (the first where time runs
/// backwards); the initial ones, where there is no time axis.
bool add_states(const InputUse& use, std::vector<std::int64_t> shape, const Pair& values, Split split,
                std::size_t most_rows, quant::RowCollector& collector) {
  const bool initial = use.kind == InputUse::Kind::kInitialState;
  if (initial) shape.insert(shape.begin(), 1);
  const auto columns = collector.columns();
  if (shape.size() != 4 || static_cast<std::size_t>(shape[1]) != collector.groups()) return false;
  if (static_cast<std::size_t>(shape[3]) != columns) return false;
  const auto steps = static_cast<std::size_t>(initial ? shape[0] : std::max<std::int64_t>(shape[0] - 1, 0));
  const auto directions = static_cast<std::size_t>(shape[1]), batch = static_cast<std::size_t>(shape[2]);
  add_split(values, evenly_spaced(steps * batch, most_rows), split, collector,
            [&](std::span<const float> input, std::size_t group, std::span<const std::size_t> picks,
                std::vector<float>& rows) {
              const std::size_t skipped = use.last_direction_reversed && group + 1 == directions ? 1 : 0;
              rows.clear();
              for (const std::size_t pick : picks) {
                const std::size_t line = (pick / batch + skipped) * directions + group;
                const auto state = input.subspan((line * batch + pick % batch) * columns, columns);
                rows.insert(rows.end(), state.begin(), state.end());
              }
            });
  return true;
}

}  // namespace

bool add_rows(const InputUse& use, const Tensor& activation, Split split, std::size_t most_rows,
              quant::RowCollector& collector, const Tensor* original) {
  if (collector.groups() == 0 || activation.type() == DType::kString) return false;
  const auto& shape = activation.shape();
  std::vector<float> scratch, scratch_before;
  Pair values{floats_of(activation, scratch), {}};
  const bool comparable = original != nullptr && original->shape() == shape;
  values.before = comparable ? floats_of(*original, scratch_before) : values.now;
  if (use.kind == InputUse::Kind::kConv) return add_patches(use, shape, values, split, most_rows, collector);
  if (use.kind == InputUse::Kind::kState || use.kind == InputUse::Kind::kInitialState) {
    return add_states(use, shape, values, split, most_rows, collector);
  }
  const auto columns = collector.columns();
  const bool by_rows = use.kind == InputUse::Kind::kRows;
  if (shape.size() < (by_rows ? 1U : 2U)) return false;
  const std::int64_t inputs = by_rows ? shape.back() : shape[shape.size() - 2];
  if (inputs != static_cast<std::int64_t>(columns) || columns == 0) return false;
  // Row i of the right operand of a product is column i % width of its matrix i / width.
  const std::size_t width = by_rows ? 1 : static_cast<std::size_t>(shape.back());
  add_split(
      values, evenly_spaced(values.now.size() / columns, most_rows), split, collector,
      [&](std::span<const float> input, std::size_t, std::span<const std::size_t> picks, std::vector<float>& rows) {
        rows.resize(picks.size() * columns);
        float* out = rows.data();
        for (const std::size_t pick : picks) {
          const float* first = input.data() + pick / width * columns * width + pick % width;
          for (std::size_t k = 0; k < columns; ++k) *out++ = first[k * width];
        }
      });
  return true;
}

}  // namespace mpq::calibrate
