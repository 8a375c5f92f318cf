#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mpq/model.h"
#include "mpq/observer.h"
#include "mpq/samples.h"

#include "graph/memory_plan.h"
#include "graph/pieces.h"
#include "runtime/piece_pass.h"
#include "runtime/session.h"

namespace mpq::runtime {

/// A model's outputs on samples: of a session, or, where memory is limited, of pieces that ran on all samples before.
class SampledNetwork {
 public:
  /// Refers to the samples. Gives out the model's outputs and `further` values of its main graph. With pieces all of
  /// them run now, on so many threads; `known` as graph::pieces_of takes it. Throws as Session, and Error{kInterrupted}
  /// when the observer cancels.
  SampledNetwork(const Model& model, const Samples& samples, const graph::MemoryPlan& memory, int threads,
                 const Observer& observer, const std::vector<ValueInfo>& further = {},
                 const graph::ConstantBytes& known = {});

  const std::vector<ValueInfo>& outputs() const { return outputs_; }
  /// May be called from several threads at once.
  std::vector<Tensor> run(std::size_t sample, const std::vector<std::string>& outputs) const;

 private:
  void run_pieces(const graph::MemoryPlan& memory, int threads, const Observer& observer,
                  const graph::ConstantBytes& known);

  std::vector<std::string> names() const;

  const Samples& samples_;
  std::vector<ValueInfo> outputs_;
  std::unique_ptr<const Session> session_;
  graph::RunForm form_;
  std::vector<graph::Piece> pieces_;
  std::unique_ptr<PiecePass> pass_;
};

/// Bytes of a model's large initializers by name. A quantized model computes constants of the same names.
graph::ConstantBytes constant_bytes(const Model& model);

}  // namespace mpq::runtime
