#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mpq/samples.h"

#include "graph/cut.h"
#include "runtime/session.h"

namespace mpq::runtime {

/// Values inside the network, for one sample at a time: inputs of the model are taken from the sample.
class Activations {
 public:
  /// The form must outlive it.
  Activations(const graph::RunForm& form, const std::vector<std::string>& names);
  /// May be called from several threads at once.
  Feed of(const Feed& sample) const;

 private:
  std::vector<std::string> computed_, given_;
  std::unique_ptr<const Session> session_;
};

std::int64_t bytes_of(const Feed& feed);

}  // namespace mpq::runtime
