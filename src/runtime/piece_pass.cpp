#include "runtime/piece_pass.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "mpq/error.h"

#include "support/memory.h"
#include "support/parallel.h"
#include "support/thread_clock.h"

namespace mpq::runtime {

namespace {

ValueInfo type_of(const std::string& name, const Tensor& value) {
  ValueInfo info;
  info.name = name;
  info.dtype = value.type();
  info.shape.assign(value.shape().size(), -1);
  info.symbols.assign(value.shape().size(), "");
  return info;
}

}  // namespace

void CrossingValues::put(std::size_t sample, const std::string& name, Tensor value) {
  const std::lock_guard lock(mutex_);
  Entry entry{{}, value.type(), value.shape(), nullptr};
  const auto bytes = static_cast<std::int64_t>(value.size_bytes());
  if (bytes == 0 || bytes <= left_bytes_) {
    left_bytes_ -= bytes;
    entry.value = std::move(value);
  } else {
    if (!file_) file_ = std::make_unique<SpillFile>();
    entry.aside = file_->keep({value.data(), value.size_bytes()});
  }
  values_[sample].insert_or_assign(name, std::move(entry));
}

Tensor CrossingValues::get(std::size_t sample, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = values_[sample].find(name);
  if (found == values_[sample].end()) return {};
  const Entry& entry = found->second;
  if (!entry.aside) return entry.value;
  Tensor value(entry.type, entry.shape);
  std::memcpy(value.mutable_data(), entry.aside->bytes().data(), value.size_bytes());
  entry.aside->release(entry.aside->bytes());
  return value;
}

bool CrossingValues::has(std::size_t sample, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return values_[sample].count(name) > 0;
}

void CrossingValues::drop(std::size_t sample, const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = values_[sample].find(name);
  if (found == values_[sample].end()) return;
  left_bytes_ += static_cast<std::int64_t>(found->second.value.size_bytes());
  values_[sample].erase(found);
}

PiecePass::PiecePass(const graph::RunForm& form, const std::vector<graph::Piece>& pieces,
                     std::vector<const Feed*> samples, const PassOptions& options, const Observer& observer)
    : form_(form),
      pieces_(pieces),
      samples_(std::move(samples)),
      options_(options),
      observer_(observer),
      values_(samples_.size(), options.crossing_bytes) {
  for (std::size_t p = 0; p < pieces_.size(); ++p) {
    for (const std::string& name : pieces_[p].inputs) last_reader_[name] = p;
  }
}

void PiecePass::advance() {
  const graph::Piece& piece = pieces_.at(next_);
  {
    const Session session = this->session({});
    parallel_for(samples_.size(), resolve_threads(options_.threads), [&](std::size_t sample, int) {
      if (observer_.cancelled()) throw Error(ErrorCode::kInterrupted, "Interrupted while the network ran.");
      const double begin = thread_seconds();
      std::vector<Tensor> outputs = session.run(inputs_of(next_, sample), piece.outputs);
      const double spent = thread_seconds() - begin;
      learn_types(piece, outputs);
      for (std::size_t i = 0; i < outputs.size(); ++i) values_.put(sample, piece.outputs[i], std::move(outputs[i]));
      const std::lock_guard lock(mutex_);
      seconds_ += spent;
    });
  }
  release_weights(form_, piece);
  trim_memory();
  if (!options_.keeps_all) drop_read(piece);
  ++next_;
}

Session PiecePass::session(const std::vector<std::string>& more) const {
  const graph::Piece& piece = pieces_.at(next_);
  return weighted_session(graph::fed_model(form_, piece, types_, more), form_, piece.weights);
}

/// Of values whose rank differs between samples not even that is told.
void PiecePass::learn_types(const graph::Piece& piece, const std::vector<Tensor>& outputs) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < piece.outputs.size(); ++i) {
    const ValueInfo found = type_of(piece.outputs[i], outputs[i]);
    const auto [entry, is_new] = types_.try_emplace(piece.outputs[i], found);
    if (!is_new && entry->second.shape.size() != found.shape.size()) entry->second.has_rank = false;
  }
}

void PiecePass::drop_read(const graph::Piece& piece) {
  for (const std::string& name : piece.inputs) {
    if (last_reader_[name] != next_ || wanted(name)) continue;
    for (std::size_t sample = 0; sample < samples_.size(); ++sample) values_.drop(sample, name);
  }
}

bool PiecePass::wanted(const std::string& name) const {
  const auto& outputs = form_.model.graph().output();
  return std::any_of(outputs.begin(), outputs.end(), [&](const auto& output) { return output.name() == name; });
}

Tensor PiecePass::value(std::size_t sample, const std::string& name) const {
  if (values_.has(sample, name)) return values_.get(sample, name);
  const auto given = samples_[sample]->find(name);
  return given != samples_[sample]->end() ? given->second : Tensor();
}

Feed PiecePass::inputs_of(std::size_t piece, std::size_t sample) const {
  Feed feed;
  for (const std::string& name : pieces_.at(piece).inputs) {
    const auto given = samples_[sample]->find(name);
    if (given != samples_[sample]->end()) {
      feed.emplace(name, given->second);
    } else if (values_.has(sample, name)) {
      feed.emplace(name, values_.get(sample, name));
    }
  }
  return feed;
}

PieceValues::PieceValues(const PiecePass& pass, const std::vector<std::string>& names) : pass_(pass) {
  const graph::Piece& piece = pass.pieces().at(pass.next());
  for (const std::string& name : names) {
    const bool given = std::find(piece.inputs.begin(), piece.inputs.end(), name) != piece.inputs.end();
    (given ? given_ : computed_).push_back(name);
  }
  if (computed_.empty()) return;
  std::vector<std::string> more;  // what the piece hands on it computes anyway
  for (const std::string& name : computed_) {
    if (std::find(piece.outputs.begin(), piece.outputs.end(), name) == piece.outputs.end()) more.push_back(name);
  }
  session_ = std::make_unique<const Session>(pass.session(more));
}

Feed PieceValues::of(std::size_t sample) const {
  const Feed inputs = pass_.inputs_of(pass_.next(), sample);
  Feed result;
  for (const std::string& name : given_) {
    const auto found = inputs.find(name);
    if (found != inputs.end()) result.emplace(name, found->second);
  }
  if (!session_) return result;
  std::vector<Tensor> values = session_->run(inputs, computed_);
  for (std::size_t i = 0; i < computed_.size(); ++i) result.emplace(computed_[i], std::move(values[i]));
  return result;
}

double PiecePass::forward_seconds() const {
  return samples_.empty() ? 0 : seconds_ / static_cast<double>(samples_.size());
}

Session weighted_session(const onnx::ModelProto& model, const graph::RunForm& form,
                         const std::vector<std::string>& weights, int optimization_level) {
  Session session(model, *form.store, {.optimization_level = optimization_level, .lean = true});
  for (const std::string& weight : weights) {
    const onnx::TensorProto& tensor = graph::initializer_of(form, weight);
    session.bind(tensor, form.store->bytes(graph::store_index(tensor)));
  }
  return session;
}

void release_weights(const graph::RunForm& form, const graph::Piece& piece) {
  for (const std::string& name : piece.constants) {
    const onnx::TensorProto& tensor = graph::initializer_of(form, name);
    if (graph::in_store(tensor)) form.store->release(graph::store_index(tensor));
  }
}

}  // namespace mpq::runtime
