#include "analyze/adjoint_observe.h"

#include <algorithm>

#include "graph/adjoint/unroll.h"
#include "graph/run_index.h"
#include "support/text.h"

namespace mpq::perturb {

using graph::adjoint::FactsMap;

void observe_values(const runtime::Session& session, const Feed& feed, const std::vector<std::string>& names,
                    const std::unordered_set<std::string>& fixed, std::size_t at_once, FactsMap& facts) {
  for (std::size_t begin = 0; begin < names.size(); begin += at_once) {
    const auto from = names.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto to = names.begin() + static_cast<std::ptrdiff_t>(std::min(begin + at_once, names.size()));
    const std::vector<std::string> part(from, to);
    const std::vector<Tensor> values = session.run(feed, part);
    for (std::size_t i = 0; i < part.size(); ++i) {
      facts.insert_or_assign(part[i], graph::adjoint::observed(values[i], fixed.count(part[i]) > 0));
    }
  }
}

FactsMap observe(const Experiment& experiment, const graph::RunForm& form, const Feed& sample) {
  constexpr std::size_t kAtOnce = 256;  // values held at a time
  const auto fixed = graph::adjoint::fixed_values(form.model);
  FactsMap facts;
  graph::adjoint::add_initializer_facts(form.model, *form.store, facts);
  for (const ValueInfo& input : experiment.model.inputs()) {
    const auto found = sample.find(input.name);
    if (found != sample.end()) facts.insert_or_assign(input.name, graph::adjoint::observed(found->second, false));
  }
  std::vector<std::string> names;
  for (const auto& value : form.index->values) {
    if (value.producer >= 0 && value.tensor) names.push_back(value.name);
  }
  const runtime::Session session(graph::with_outputs(form, names), *form.store, {.optimization_level = 1});
  observe_values(session, sample, names, fixed, kAtOnce, facts);
  return facts;
}

std::int64_t recurrent_steps(const Experiment& experiment, const Feed& sample) {
  const graph::RunForm& form = experiment.form;
  FactsMap facts;
  graph::adjoint::add_initializer_facts(form.model, *form.store, facts);
  for (const auto& [name, tensor] : sample) facts.insert_or_assign(name, graph::adjoint::observed(tensor, false));
  std::vector<std::string> unknown;
  for (const onnx::NodeProto& node : form.model.graph().node()) {
    if (graph::adjoint::is_recurrent(node) && facts.count(node.input(0)) == 0) unknown.push_back(node.input(0));
  }
  if (!unknown.empty()) {
    const runtime::Session session(graph::with_outputs(form, unknown), *form.store, {.optimization_level = 1});
    observe_values(session, sample, unknown, {}, unknown.size(), facts);
  }
  std::int64_t steps = 0;
  for (const onnx::NodeProto& node : form.model.graph().node()) {
    if (!graph::adjoint::can_unroll(node, facts)) continue;
    steps += facts.at(node.input(0)).shape[0] * facts.at(node.input(2)).shape[0];
  }
  return steps;
}

int optimization_level(const Experiment& experiment, const graph::RunForm& form) {
  constexpr int kManyNodes = 2000;
  const int added = form.model.graph().node_size() - experiment.form.model.graph().node_size();
  return added > kManyNodes ? 0 : runtime::SessionOptions{}.optimization_level;
}

void require_same_outputs(const Experiment& experiment, const Reference& reference, const graph::RunForm& form,
                          const Feed& sample) {
  constexpr double kSame = 1e-3;  // as for reruns
  const auto outputs_of = [&](const graph::RunForm& of) {
    const runtime::Session session(graph::with_outputs(of, experiment.outputs), *of.store,
                                   {.optimization_level = optimization_level(experiment, of)});
    const std::vector<Tensor> values = session.run(sample, experiment.outputs);
    Feed feed;
    for (std::size_t i = 0; i < values.size(); ++i) feed.emplace(experiment.outputs[i], values[i]);
    return feed;
  };
  const double difference = trial_damage(reference, experiment.outputs, outputs_of(experiment.form), outputs_of(form));
  if (difference > kSame) {
    throw graph::adjoint::NoRule("written in operators that have rules the model computes something else (damage " +
                                 format_number(difference) + ")");
  }
}

}  // namespace mpq::perturb
