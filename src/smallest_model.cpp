#include "smallest_model.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "mpq/error.h"

#include "support/text.h"

namespace mpq {
namespace {

constexpr double kStep = 1.02;  ///< ratio of two neighbouring sizes

/// Written so that the report's `--budget` makes the same plan again; rounded up to a thousandth of a bit.
Budget bits_budget(double bits_per_weight) {
  const double bits = std::ceil(1000 * bits_per_weight) / 1000;
  return Budget::parse(format_number(bits) + "bit");
}

/// Budgets along the frontier, rising, each at least a step above the one before; the last is the largest allowed.
std::vector<Budget> sizes_of(const Sensitivity& scores, const AllocateOptions& options,
                             const std::optional<Budget>& most) {
  constexpr double kMostBits = 15.9;  // above, a budget in bits limits nothing (Budget::parse)
  const double allowed = most ? allocate(scores, *most, options).bits_per_weight : kMostBits;
  std::vector<Budget> sizes;
  double next = 0;
  for (const FrontierPoint& point : frontier(scores, options)) {
    if (point.bits_per_weight < next || kStep * point.bits_per_weight > allowed) continue;
    sizes.push_back(bits_budget(point.bits_per_weight));
    next = kStep * point.bits_per_weight;
  }
  sizes.push_back(most ? *most : Budget::parse("100%"));
  return sizes;
}

}  // namespace

DropSearch search_smallest(const Sensitivity& scores, const AllocateOptions& options, const DropLimit& limit,
                           const std::optional<Budget>& most, const TrySize& try_size, Observer& observer) {
  const std::vector<Budget> sizes = sizes_of(scores, options, most);
  DropSearch search{limit.text, {}};
  const auto keeps = [&](const Budget& budget) {
    const SizeTried tried = try_size(budget);
    search.tried.push_back(tried);
    observer.note("--max-drop " + limit.text + ": " + format_bytes(tried.file_bytes) + " gives " +
                  limit.format(tried.found) + (tried.kept ? "; smaller ones are tried" : "; larger ones are tried"));
    return tried.kept;
  };
  std::size_t low = 0, high = sizes.size();  // all below `low` fail; `high` keeps the limit, or is none of the sizes
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (keeps(sizes[middle]))
      high = middle;
    else
      low = middle + 1;
  }
  if (high < sizes.size()) return search;
  const auto nearest = std::min_element(search.tried.begin(), search.tried.end(), [&](const auto& a, const auto& b) {
    return limit.unit == DropLimit::Unit::kDecibels ? a.found > b.found : a.found < b.found;
  });
  throw Error(ErrorCode::kInfeasible,
              "No size keeps the limit; nearest comes " + format_bytes(nearest->file_bytes) + " with " +
                  limit.format(nearest->found) + ".",
              "--max-drop " + limit.text,
              "Allow more, raise --budget, or let more widths be chosen: --bits 2,3,4,5,6,7,8,16,float.");
}

}  // namespace mpq
