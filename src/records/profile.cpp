#include "mpq/profile.h"

#include <algorithm>
#include <limits>

namespace mpq {
namespace {

bool contains(const std::vector<int>& sorted, int value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

std::size_t at(int position) { return static_cast<std::size_t>(position); }

/// What segments `a` and `b` save when they run one after the other in one session.
double saving(const Profile& profile, const CostColumn& column, int a, int b) {
  const SegmentCost& first = column.costs.at(at(a));
  if (b != a + 1 || first.with_next.count == 0) return profile.processors.at(at(column.processor)).call_seconds;
  return first.alone.seconds + column.costs.at(at(b)).alone.seconds - first.with_next.seconds;
}

}  // namespace

const CostColumn* Profile::column(int processor, const std::string& precision) const {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const CostColumn& column) {
    return column.processor == processor && column.precision == precision;
  });
  return found == columns.end() ? nullptr : &*found;
}

SubnetBoundary subnet_boundary(const Profile& profile, const std::vector<int>& segments) {
  std::vector<int> sorted = segments;
  std::sort(sorted.begin(), sorted.end());
  SubnetBoundary boundary;
  for (std::size_t i = 0; i < profile.tensors.size(); ++i) {
    const BoundaryTensor& tensor = profile.tensors[i];
    const bool made_here = contains(sorted, tensor.producer);
    const auto is_inside = [&](int consumer) { return contains(sorted, consumer); };
    const auto& readers = tensor.consumers;
    if (!made_here && std::any_of(readers.begin(), readers.end(), is_inside))
      boundary.inputs.push_back(static_cast<int>(i));
    if (made_here && (tensor.network_output || !std::all_of(readers.begin(), readers.end(), is_inside)))
      boundary.outputs.push_back(static_cast<int>(i));
  }
  return boundary;
}

double subnet_seconds(const Profile& profile, const std::vector<int>& segments, int processor,
                      const std::string& precision) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  const CostColumn* column = profile.column(processor, precision);
  if (column == nullptr) return kNever;
  double seconds = 0;
  for (std::size_t k = 0; k < segments.size(); ++k) {
    const SegmentCost& cost = column->costs.at(at(segments[k]));
    if (!cost.supported()) return kNever;
    seconds += cost.alone.seconds;
    if (k > 0) seconds -= saving(profile, *column, segments[k - 1], segments[k]);
  }
  return std::max(seconds, 0.0);
}

double transfer_seconds(const Profile& profile, int from, int to, std::int64_t bytes) {
  if (from == to) return 0;
  const auto found = std::find_if(profile.transfers.begin(), profile.transfers.end(),
                                  [&](const TransferCost& cost) { return cost.from == from && cost.to == to; });
  if (found == profile.transfers.end()) return std::numeric_limits<double>::infinity();
  return found->fixed_seconds + static_cast<double>(bytes) * found->seconds_per_byte;
}

}  // namespace mpq
