#include "runtime/sampled_network.h"

#include "graph/model_impl.h"

namespace mpq::runtime {

SampledNetwork::SampledNetwork(const Model& model, const Samples& samples, const graph::MemoryPlan& memory, int threads,
                               const Observer& observer, const std::vector<ValueInfo>& further,
                               const graph::ConstantBytes& known)
    : samples_(samples), outputs_(model.outputs()) {
  outputs_.insert(outputs_.end(), further.begin(), further.end());
  if (!memory.pieces && further.empty()) {
    session_ = std::make_unique<const Session>(model);
    outputs_ = session_->outputs();
    return;
  }
  form_ = graph::run_form(model);
  if (memory.pieces) {
    run_pieces(memory, threads, observer, known);
  } else {
    session_ = std::make_unique<const Session>(graph::with_outputs(form_, names()), *form_.store);
  }
}

std::vector<std::string> SampledNetwork::names() const {
  std::vector<std::string> names;
  for (const ValueInfo& output : outputs_) names.push_back(output.name);
  return names;
}

void SampledNetwork::run_pieces(const graph::MemoryPlan& memory, int threads, const Observer& observer,
                                const graph::ConstantBytes& known) {
  std::vector<const Feed*> feeds;
  for (std::size_t i = 0; i < samples_.size(); ++i) feeds.push_back(&samples_[i]);
  pieces_ = graph::pieces_of(form_, names(), memory.piece_bytes, known);
  pass_ = std::make_unique<PiecePass>(form_, pieces_, std::move(feeds),
                                      PassOptions{.threads = threads, .crossing_bytes = memory.crossing_bytes / 2},
                                      observer);
  while (!pass_->done()) pass_->advance();
}

std::vector<Tensor> SampledNetwork::run(std::size_t sample, const std::vector<std::string>& outputs) const {
  if (session_) return session_->run(samples_[sample], outputs);
  std::vector<Tensor> values;
  for (const std::string& name : outputs) values.push_back(pass_->value(sample, name));
  return values;
}

graph::ConstantBytes constant_bytes(const Model& model) {
  const Model::Impl& impl = model.impl();
  graph::ConstantBytes bytes;
  for (const onnx::TensorProto& tensor : impl.proto.graph().initializer()) {
    if (graph::in_store(tensor))
      bytes[tensor.name()] = static_cast<std::int64_t>(impl.store->bytes(graph::store_index(tensor)).size());
  }
  return bytes;
}

}  // namespace mpq::runtime
