#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mpq/observer.h"
#include "mpq/profile.h"

#include "profile/subnet.h"
#include "profile/timing.h"
#include "profile/walk.h"

namespace mpq::profiling {

/// A model at one precision, ready to be cut.
struct CuttableVariant {
  CuttableModel model;
  std::map<std::string, std::string> kernels;  ///< Variant::kernels
};
using Variants = std::map<std::string, std::shared_ptr<const CuttableVariant>>;  // by precision

/// Measures segments on the processors and precisions of a profile's columns.
class SegmentBench {
 public:
  /// Keeps references.
  SegmentBench(const Profile& profile, const Variants& variants, const ProfileOptions& options,
               const Observer& observer)
      : profile_(profile), variants_(variants), options_(options), observer_(observer) {}

  /// One cost per column of the profile, of a segment the walk stands before.
  std::vector<SegmentCost> costs(int segment, const Walk& walk) const;

  /// The whole network: fills CostColumn::whole and memory_bytes of `columns`, as far as it runs.
  void time_whole(const std::vector<runtime::SharedValue>& inputs, std::vector<CostColumn>& columns) const;

 private:
  /// A runner that has run once, or why there is none.
  struct Attempt {
    std::optional<Runner> runner;
    std::int64_t memory_bytes = 0;
    std::string reason;
  };
  Attempt attempt(const CostColumn& column, const std::vector<int>& segments,
                  const std::vector<runtime::SharedValue>& inputs) const;
  /// The first column of the same processor whose sessions of these segments run on the same kernels; the column itself
  /// if none before does.
  std::size_t same_column(std::size_t column, const std::vector<int>& segments) const;
  /// What tells the arithmetic of these segments at a precision from that at others.
  std::set<std::string> arithmetic(const std::string& precision, const std::vector<int>& segments) const;
  std::vector<Timing> time(const std::vector<Attempt>& attempts) const;

  const Profile& profile_;
  const Variants& variants_;
  const ProfileOptions& options_;
  const Observer& observer_;
};

}  // namespace mpq::profiling
