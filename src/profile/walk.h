#pragma once

#include <map>
#include <vector>

#include "mpq/profile.h"
#include "mpq/samples.h"

#include "graph/cut.h"
#include "profile/subnet.h"
#include "runtime/shared_value.h"

namespace mpq::profiling {

/// Fills in what is known of the tensors at every run: element types, ranks, and which extents vary.
/// Throws Error{kInvalidInput} when the CPU provider does not load the model.
void describe_tensors(const Model& model, const graph::RunForm& form, std::vector<BoundaryTensor>& tensors);

/// Computes the network segment by segment on the CPU, holding no more tensors than segments to come need.
class Walk {
 public:
  /// Keeps references. Throws Error{kInvalidInput} when the feed lacks an input.
  Walk(const CuttableModel& model, Profile& profile, const Feed& feed);

  /// What enters these segments: the next one, or the next and the one behind it.
  std::vector<runtime::SharedValue> inputs_of(const std::vector<int>& segments) const;
  /// Computes the next segment and fills in shapes and bytes of its outputs.
  void advance();

 private:
  void keep(int tensor, runtime::SharedValue value);

  const CuttableModel& model_;
  Profile& profile_;
  std::map<int, runtime::SharedValue> values_;  // by position of the tensor
  int next_ = 0;
};

}  // namespace mpq::profiling
