#include "runtime/activations.h"

#include "graph/run_index.h"

namespace mpq::runtime {

Activations::Activations(const graph::RunForm& form, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const bool is_input = form.index->value(form.index->find(name)).input >= 0;
    (is_input ? given_ : computed_).push_back(name);
  }
  if (computed_.empty()) return;
  session_ = std::make_unique<const Session>(graph::with_outputs(form, computed_), *form.store);
}

Feed Activations::of(const Feed& sample) const {
  Feed result;
  for (const std::string& name : given_) {
    const auto found = sample.find(name);
    if (found != sample.end()) result.emplace(name, found->second);
  }
  if (!session_) return result;
  std::vector<Tensor> values = session_->run(sample, computed_);
  for (std::size_t i = 0; i < computed_.size(); ++i) result.emplace(computed_[i], std::move(values[i]));
  return result;
}

std::int64_t bytes_of(const Feed& feed) {
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : feed) bytes += static_cast<std::int64_t>(tensor.size_bytes());
  return bytes;
}

}  // namespace mpq::runtime
