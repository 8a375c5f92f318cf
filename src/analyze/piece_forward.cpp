#include "analyze/piece_forward.h"

#include <algorithm>

#include "mpq/error.h"

#include "analyze/adjoint_observe.h"
#include "graph/adjoint/upgrade.h"
#include "graph/run_index.h"

namespace mpq::perturb {

namespace adjoint = graph::adjoint;

namespace {

/// The form the adjoint is written for. Where there is none the adjoint stops at once, and says so piece by piece.
graph::RunForm form_of(const Experiment& experiment) {
  try {
    return adjoint::upgraded(experiment.form);
  } catch (const adjoint::NoRule& reason) {
    throw Error(ErrorCode::kUnsupported,
                std::string("The model cannot be analyzed within the memory limit: ") + reason.what() + ".",
                experiment.model.facts().path, "Give a larger --memory-limit.");
  }
}

std::vector<const Feed*> feeds_of(const Experiment& experiment) {
  std::vector<const Feed*> feeds;
  for (std::size_t k = 0; k < experiment.trial_cap; ++k) feeds.push_back(&experiment.samples[experiment.sample_of(k)]);
  return feeds;
}

}  // namespace

PieceForward::PieceForward(const Experiment& experiment, const graph::MemoryPlan& memory, Observer& observer)
    : experiment_(experiment),
      form_(form_of(experiment)),
      pieces_(graph::pieces_of(form_, experiment.outputs, memory.piece_bytes)),
      shapes_(by_shapes(experiment)),
      facts_(shapes_.size()),
      fixed_(adjoint::fixed_values(form_.model)),
      pass_(std::make_unique<runtime::PiecePass>(
          form_, pieces_, feeds_of(experiment),
          runtime::PassOptions{experiment.options.threads, memory.crossing_bytes / 2, true}, observer)) {
  for (std::size_t s = 0; s < shapes_.size(); ++s) {
    adjoint::add_initializer_facts(form_.model, *form_.store, facts_[s]);
    for (const auto& [name, tensor] : experiment.samples[experiment.sample_of(shapes_[s].trials.front())])
      facts_[s].insert_or_assign(name, adjoint::observed(tensor, false));
  }
  while (!pass_->done()) {
    const graph::Piece& piece = pieces_[pass_->next()];
    observer.progress("analyze", static_cast<double>(pass_->next()), static_cast<double>(2 * pieces_.size()),
                      "forward, piece by piece");
    observe(piece);
    pass_->advance();
  }
}

/// All values of the piece on one sample of each shape.
void PieceForward::observe(const graph::Piece& piece) {
  constexpr std::size_t kAtOnce = 64;  // values held at a time
  std::vector<std::string> names = piece.computed;
  for (const int node : piece.nodes) {
    for (const int value : form_.index->node(node).writes) {
      if (form_.index->value(value).tensor) names.push_back(form_.index->value(value).name);
    }
  }
  std::vector<std::string> inside;
  std::copy_if(names.begin(), names.end(), std::back_inserter(inside), [&](const std::string& name) {
    return std::find(piece.outputs.begin(), piece.outputs.end(), name) == piece.outputs.end();
  });
  const runtime::Session session = runtime::weighted_session(graph::fed_model(form_, piece, pass_->types(), inside),
                                                             form_, piece.weights, /*optimization_level=*/1);
  for (std::size_t s = 0; s < shapes_.size(); ++s) {
    const Feed feed = pass_->inputs_of(pass_->next(), shapes_[s].trials.front());
    observe_values(session, feed, names, fixed_, kAtOnce, facts_[s]);
  }
}

std::vector<Tensor> PieceForward::outputs(std::size_t trial) const {
  std::vector<Tensor> values;
  for (const std::string& name : experiment_.outputs) values.push_back(pass_->value(trial, name));
  return values;
}

}  // namespace mpq::perturb
