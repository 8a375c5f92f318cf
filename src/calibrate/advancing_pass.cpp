#include "calibrate/advancing_pass.h"

#include <algorithm>
#include <map>

#include "graph/run_index.h"

namespace mpq::calibrate {

namespace {

std::size_t at(int number) { return static_cast<std::size_t>(number); }

/// Nodes that lead to one of the values and depend on inputs.
std::vector<char> leading_to(const graph::RunIndex& index, const std::vector<std::string>& values) {
  std::vector<char> found(index.nodes.size(), 0);
  std::vector<int> open;
  for (const std::string& name : values) open.push_back(index.find(name));
  while (!open.empty()) {
    const int value = open.back();
    open.pop_back();
    const int node = value < 0 ? -1 : index.value(value).producer;
    if (node < 0 || found[at(node)] != 0 || index.node(node).constant) continue;
    found[at(node)] = 1;
    open.insert(open.end(), index.node(node).reads.begin(), index.node(node).reads.end());
  }
  return found;
}

/// Types of kept values; extents may change from sample to sample.
std::map<std::string, ValueInfo> types_of(const Feed& kept) {
  std::map<std::string, ValueInfo> types;
  for (const auto& [name, tensor] : kept) {
    types[name] = {name, tensor.type(), std::vector<std::int64_t>(tensor.shape().size(), -1), {}, true};
  }
  return types;
}

}  // namespace

AdvancingPass::AdvancingPass(const graph::RunForm& form, const Samples& samples, const std::vector<std::string>& stops,
                             std::int64_t limit_bytes)
    : samples_(samples),
      limit_bytes_(limit_bytes),
      useful_(leading_to(*form.index, stops)),
      done_(form.index->nodes.size(), 0),
      kept_(samples.size()) {
  for (std::size_t node = 0; node < useful_.size(); ++node) {
    if (useful_[node] == 0) continue;
    for (const int value : form.index->nodes[node].writes) {
      from_scratch_ = from_scratch_ || !form.index->value(value).tensor;  // cannot be fed
    }
  }
}

bool AdvancingPass::read_later(const graph::RunForm& form, int value) const {
  const auto& readers = form.index->value(value).readers;
  return std::any_of(readers.begin(), readers.end(),
                     [&](int reader) { return useful(reader) && done_[at(reader)] == 0; });
}

void AdvancingPass::advance_to(const graph::RunForm& form, const std::vector<std::string>& names) {
  if (!kept_.empty() && runtime::bytes_of(kept_[0]) * static_cast<std::int64_t>(kept_.size()) > limit_bytes_) {
    from_scratch_ = true;
    kept_.clear();
  }
  names_ = names;
  if (from_scratch_) {
    whole_.emplace(form, names);
    return;
  }
  const graph::RunIndex& index = *form.index;
  const std::map<std::string, ValueInfo> there = types_of(kept_[0]);
  std::vector<std::string> wanted;
  for (const std::string& name : names) {
    if (there.count(name) == 0 && index.value(index.find(name)).input < 0) wanted.push_back(name);
  }
  const std::vector<int> nodes = graph::segment_to(form, wanted, there).nodes;
  for (const int node : nodes) done_[at(node)] = 1;
  keep_.clear();
  computed_ = wanted;
  for (const auto& [name, type] : there) {
    if (read_later(form, index.find(name))) keep_.push_back(name);
  }
  for (const int node : nodes) {
    for (const int value : index.node(node).writes) {
      const std::string& name = index.value(value).name;
      if (index.node(node).constant || there.count(name) > 0 || !read_later(form, value)) continue;
      keep_.push_back(name);
      if (std::find(computed_.begin(), computed_.end(), name) == computed_.end()) computed_.push_back(name);
    }
  }
  session_.reset();
  if (computed_.empty()) return;
  session_ = std::make_unique<const runtime::Session>(graph::segment_to(form, computed_, there).model, *form.store);
}

Feed AdvancingPass::of(std::size_t sample) {
  if (from_scratch_) return whole_->of(samples_[sample]);
  Feed values = std::move(kept_[sample]);
  if (session_) {
    Feed feed = samples_[sample];
    for (const auto& [name, tensor] : values) feed.insert_or_assign(name, tensor);
    std::vector<Tensor> results = session_->run(feed, computed_);
    for (std::size_t i = 0; i < results.size(); ++i) values.insert_or_assign(computed_[i], std::move(results[i]));
  }
  Feed asked, kept;
  for (const std::string& name : names_) {
    const auto value = values.find(name);
    const auto given = samples_[sample].find(name);
    if (value != values.end()) {
      asked.emplace(name, value->second);
    } else if (given != samples_[sample].end()) {
      asked.emplace(name, given->second);
    }
  }
  for (const std::string& name : keep_) {
    const auto value = values.find(name);
    if (value != values.end()) kept.emplace(name, std::move(value->second));
  }
  kept_[sample] = std::move(kept);
  return asked;
}

void AdvancingPass::forget_behind(const graph::RunForm& form, const std::string& constant) {
  if (from_scratch_) return;
  const graph::RunIndex& index = *form.index;
  std::vector<int> open{index.find(constant)};
  std::vector<char> seen(index.nodes.size(), 0);
  while (!open.empty()) {
    const int value = open.back();
    open.pop_back();
    if (value < 0) continue;
    for (const int reader : index.value(value).readers) {
      if (seen[at(reader)] != 0) continue;
      seen[at(reader)] = 1;
      done_[at(reader)] = 0;
      for (const int written : index.node(reader).writes) {
        open.push_back(written);
        for (Feed& kept : kept_) kept.erase(index.value(written).name);
      }
    }
  }
}

}  // namespace mpq::calibrate
