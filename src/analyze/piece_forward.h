#pragma once

#include <memory>
#include <vector>

#include "analyze/experiment.h"
#include "graph/adjoint/facts.h"
#include "graph/memory_plan.h"
#include "graph/pieces.h"
#include "runtime/piece_pass.h"

namespace mpq::perturb {

/// The unperturbed network on the samples of the trials, run piece by piece, and everything the way back needs: what
/// every piece was fed with, and the facts of all values.
class PieceForward {
 public:
  /// Refers to its arguments. Throws Error{kInterrupted} when the observer cancels, Error{kInvalidInput} when the model
  /// does not run on the samples.
  PieceForward(const Experiment& experiment, const graph::MemoryPlan& memory, Observer& observer);

  const graph::RunForm& form() const { return form_; }
  const std::vector<graph::Piece>& pieces() const { return pieces_; }
  /// Its samples are numbered as the trials.
  const runtime::PiecePass& pass() const { return *pass_; }
  const std::vector<SameShapes>& shapes() const { return shapes_; }
  /// Parallel to shapes(): facts of all values of the network on such samples.
  const std::vector<graph::adjoint::FactsMap>& facts() const { return facts_; }
  /// The experiment's outputs in one trial.
  std::vector<Tensor> outputs(std::size_t trial) const;

 private:
  void observe(const graph::Piece& piece);

  const Experiment& experiment_;
  graph::RunForm form_;
  std::vector<graph::Piece> pieces_;
  std::vector<SameShapes> shapes_;
  std::vector<graph::adjoint::FactsMap> facts_;
  std::unordered_set<std::string> fixed_;
  std::unique_ptr<runtime::PiecePass> pass_;
};

}  // namespace mpq::perturb
