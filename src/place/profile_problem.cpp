#include "place/profile_problem.h"

#include <algorithm>
#include <map>
#include <set>

#include "mpq/error.h"

namespace mpq::placing {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

/// Whether sessions of this processor read and write host memory in place.
bool works_in_host_memory(const mpq::Processor& processor) {
  return processor.provider == "cpu" || (processor.provider == "openvino" && processor.device == "cpu");
}

/// Mean cost of handing over between `p` and those processors that work in host memory.
TransferCost mean_transfer(const Profile& profile, const std::vector<int>& processors, int p, bool inward) {
  TransferCost mean;
  double count = 0;
  for (const TransferCost& cost : profile.transfers) {
    if ((inward ? cost.to : cost.from) != p) continue;
    const int other = inward ? cost.from : cost.to;
    const bool counts = std::find(processors.begin(), processors.end(), other) != processors.end();
    if (!counts || !works_in_host_memory(profile.processors[at(other)])) continue;
    mean.fixed_seconds += std::max(0.0, cost.fixed_seconds);
    mean.seconds_per_byte += std::max(0.0, cost.seconds_per_byte);
    ++count;
  }
  if (count > 0) {
    mean.fixed_seconds /= count;
    mean.seconds_per_byte /= count;
  }
  return mean;
}

void set_transfers(const Profile& profile, ProfileProblem& result) {
  for (std::size_t i = 0; i < result.processors.size(); ++i) {
    const int p = result.processors[i];
    Processor& processor = result.problem.processors[i];
    const TransferCost in = mean_transfer(profile, result.processors, p, true);
    processor.in_seconds = in.fixed_seconds;
    processor.in_seconds_per_byte = in.seconds_per_byte;
    if (works_in_host_memory(profile.processors[at(p)])) continue;
    const TransferCost out = mean_transfer(profile, result.processors, p, false);
    processor.out_seconds = out.fixed_seconds;
    processor.out_seconds_per_byte = out.seconds_per_byte;
  }
}

double saving(const CostColumn& column, std::size_t segment, double overhead) {
  const SegmentCost& cost = column.costs[segment];
  if (segment + 1 >= column.costs.size() || !cost.supported() || !column.costs[segment + 1].supported()) return 0;
  if (cost.with_next.count == 0) return overhead;
  // Together they never take longer than apart; where it was measured so it was noise.
  return std::max(0.0, cost.alone.seconds + column.costs[segment + 1].alone.seconds - cost.with_next.seconds);
}

void set_times(const Profile& profile, const std::string& precision, ProfileProblem& result) {
  Problem& problem = result.problem;
  const std::size_t cells = profile.segments.size() * result.processors.size();
  problem.seconds.assign(cells, kNever);
  problem.savings.assign(cells, 0);
  problem.memory.assign(cells, 0);
  for (std::size_t p = 0; p < result.processors.size(); ++p) {
    const CostColumn& column = *profile.column(result.processors[p], precision);
    const bool known = column.whole && column.predicted && *column.predicted > 0;
    const double scale = known ? column.whole->seconds / *column.predicted : 1;
    Processor& processor = problem.processors[p];
    for (std::size_t s = 0; s < profile.segments.size(); ++s) {
      const std::size_t cell = problem.cell(static_cast<int>(s), static_cast<int>(p));
      const SegmentCost& cost = column.costs[s];
      if (cost.supported()) problem.seconds[cell] = scale * cost.alone.seconds;
      problem.savings[cell] = scale * saving(column, s, processor.run_overhead);
      problem.memory[cell] = static_cast<double>(cost.memory_bytes);
    }
    processor.run_overhead *= scale;
  }
}

}  // namespace

// One bit for every group of cores that the same processors use; a processor without cores is a device of its own.
std::vector<std::uint64_t> resources_of(const Profile& profile) {
  std::map<std::string, std::set<std::size_t>> users;
  for (std::size_t p = 0; p < profile.processors.size(); ++p) {
    const mpq::Processor& processor = profile.processors[p];
    for (const int core : processor.cores) users["core " + std::to_string(core)].insert(p);
    if (processor.cores.empty()) users[processor.provider + ':' + processor.device].insert(p);
  }
  std::set<std::set<std::size_t>> groups;
  for (const auto& [resource, group] : users) groups.insert(group);
  if (groups.size() > 64)
    throw Error(ErrorCode::kUnsupported, "The processors overlap in more than 64 different ways.", "the profile",
                "Name fewer processors, or such that share no cores.");
  std::vector<std::uint64_t> resources(profile.processors.size(), 0);
  int bit = 0;
  for (const auto& group : groups) {
    for (const std::size_t p : group) resources[p] |= std::uint64_t{1} << bit;
    ++bit;
  }
  return resources;
}

ProfileProblem problem_of(const Profile& profile, const std::string& precision) {
  ProfileProblem result;
  const std::vector<std::uint64_t> resources = resources_of(profile);
  for (std::size_t p = 0; p < profile.processors.size(); ++p) {
    const mpq::Processor& measured = profile.processors[p];
    if (!measured.present() || profile.column(static_cast<int>(p), precision) == nullptr) continue;
    result.processors.push_back(static_cast<int>(p));
    Processor& processor = result.problem.processors.emplace_back();
    processor.name = measured.name;
    processor.resources = resources[p];
    processor.run_overhead = std::max(0.0, measured.call_seconds);
  }
  if (result.processors.empty())
    throw Error(ErrorCode::kInvalidInput, "No processor of the profile is present and was measured at " + precision + ".",
                "the profile", "Profile the model again with the processors of this machine.");
  result.problem.segments = static_cast<int>(profile.segments.size());
  for (const BoundaryTensor& tensor : profile.tensors)
    result.problem.handovers.push_back({tensor.bytes, tensor.producer, tensor.consumers});
  set_transfers(profile, result);
  set_times(profile, precision, result);
  validate(result.problem);
  return result;
}

}  // namespace mpq::placing
