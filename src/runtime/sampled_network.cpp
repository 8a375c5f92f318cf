#include "runtime/sampled_network.h"

#include "graph/model_impl.h"

namespace mpq::runtime {

SampledNetwork::SampledNetwork(const Model& model, const Samples& samples, const graph::MemoryPlan& memory, int threads,
                               const Observer& observer, const graph::ConstantBytes& known)
    : model_(model), samples_(samples) {
  if (memory.pieces) {
    run_pieces(memory, threads, observer, known);
  } else {
    session_ = std::make_unique<const Session>(model);
  }
}

void SampledNetwork::run_pieces(const graph::MemoryPlan& memory, int threads, const Observer& observer,
                                const graph::ConstantBytes& known) {
  std::vector<const Feed*> feeds;
  for (std::size_t i = 0; i < samples_.size(); ++i) feeds.push_back(&samples_[i]);
  std::vector<std::string> wanted;
  for (const ValueInfo& output : model_.outputs()) wanted.push_back(output.name);
  form_ = graph::run_form(model_);
  pieces_ = graph::pieces_of(form_, wanted, memory.piece_bytes, known);
  pass_ = std::make_unique<PiecePass>(form_, pieces_, std::move(feeds),
                                      PassOptions{.threads = threads, .crossing_bytes = memory.crossing_bytes / 2},
                                      observer);
  while (!pass_->done()) pass_->advance();
}

const std::vector<ValueInfo>& SampledNetwork::outputs() const {
  return session_ ? session_->outputs() : model_.outputs();
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
