#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mpq/samples.h"

#include "graph/cut.h"
#include "runtime/activations.h"
#include "runtime/session.h"

namespace mpq::calibrate {

/// A forward pass of all samples that stops wherever values are asked for, front to back, while constants of the nodes
/// still to come change: every node runs once instead of once per stop. What later nodes read is kept per sample; where
/// that would take too much memory, every stop is computed from the inputs.
class AdvancingPass {
 public:
  /// `stops`: all values that will be asked for. The samples must outlive it.
  AdvancingPass(const graph::RunForm& form, const Samples& samples, const std::vector<std::string>& stops,
                std::int64_t limit_bytes);

  /// Makes ready to compute `names` with the constants that `form` has now; the form must outlive the calls of `of`.
  void advance_to(const graph::RunForm& form, const std::vector<std::string>& names);
  /// These values for one sample. Once per sample and stop; different samples from several threads at once.
  Feed of(std::size_t sample);

  /// The constant got other numbers: whatever was computed with it is forgotten.
  void forget_behind(const graph::RunForm& form, const std::string& constant);

 private:
  bool useful(int node) const { return useful_[static_cast<std::size_t>(node)] != 0; }
  bool read_later(const graph::RunForm& form, int value) const;

  const Samples& samples_;
  std::int64_t limit_bytes_;
  std::vector<char> useful_;           ///< per node: some stop needs it
  std::vector<char> done_;             ///< per node
  std::vector<Feed> kept_;             ///< per sample: values that nodes to come read
  bool from_scratch_ = false;          ///< keeps nothing
  std::vector<std::string> names_;     ///< asked for now
  std::vector<std::string> computed_;  ///< outputs of the session
  std::vector<std::string> keep_;      ///< what to keep behind this stop
  std::unique_ptr<const runtime::Session> session_;
  std::optional<runtime::Activations> whole_;
};

}  // namespace mpq::calibrate
