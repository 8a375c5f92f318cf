#include "analyze/runner.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "mpq/error.h"

#include "runtime/session.h"

namespace mpq::perturb {

namespace {

/// bfloat16 is the upper half of a float, rounded to nearest even.
std::uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

/// Writes a weight in the type the model stores it in.
void encode_weight(std::span<const float> weight, Tensor& out) {
  switch (out.type()) {
    case DType::kFloat32:
      std::copy(weight.begin(), weight.end(), out.as_mutable<float>().begin());
      return;
    case DType::kFloat64:
      std::copy(weight.begin(), weight.end(), out.as_mutable<double>().begin());
      return;
    case DType::kFloat16:
      std::transform(weight.begin(), weight.end(), out.as_mutable<std::uint16_t>().begin(), quant::to_half);
      return;
    case DType::kBFloat16:
      std::transform(weight.begin(), weight.end(), out.as_mutable<std::uint16_t>().begin(), to_bfloat16);
      return;
    default:
      throw Error(ErrorCode::kUnsupported,
                  std::string("A weight of type ") + dtype_name(out.type()) + " cannot be perturbed.");
  }
}

const Tensor& value_of(const Feed& captured, const std::string& name) {
  const auto found = captured.find(name);
  if (found == captured.end()) {
    throw Error(ErrorCode::kInternal, "The value \"" + name + "\" the cut needs was not captured.", name);
  }
  return found->second;
}

/// Type of a captured value over the trials; extents that differ become -1.
ValueInfo merged_info(const std::string& name, const std::vector<TrialFeed>& feeds) {
  ValueInfo info;
  info.name = name;
  bool first = true;
  for (const TrialFeed& feed : feeds) {
    const Tensor& value = value_of(*feed.captured, name);
    if (first) {
      info.dtype = value.type();
      info.shape = value.shape();
      first = false;
    } else if (info.shape.size() != value.shape().size()) {
      info.has_rank = false;
    } else {
      for (std::size_t axis = 0; axis < info.shape.size(); ++axis) {
        if (info.shape[axis] != value.shape()[axis]) info.shape[axis] = -1;
      }
    }
  }
  if (!info.has_rank) info.shape.clear();
  info.symbols.assign(info.shape.size(), "");
  return info;
}

/// The model's own declaration of an input; of any other value only the element type.
ValueInfo declared_info(const Experiment& experiment, const std::string& name, const std::vector<TrialFeed>& feeds) {
  for (const ValueInfo& input : experiment.model.inputs()) {
    if (input.name == name) return input;
  }
  ValueInfo info;
  info.name = name;
  info.dtype = value_of(*feeds.front().captured, name).type();
  info.has_rank = false;
  return info;
}

graph::Cut make_cut(const Experiment& experiment, const Task& task, const std::vector<TrialFeed>& feeds,
                    BoundaryTypes precision) {
  if (experiment.options.full_reruns) return graph::whole_with_weight_input(experiment.form, task.layer);
  std::map<std::string, ValueInfo> types;
  for (const std::string& name : task.boundary) {
    types.emplace(
        name, precision == BoundaryTypes::kExact ? merged_info(name, feeds) : declared_info(experiment, name, feeds));
  }
  return graph::cut_behind(experiment.form, task.layer, task.targets, types);
}

/// Outputs of the session that are targets of the task.
std::vector<std::string> wanted_outputs(const std::vector<std::string>& offered,
                                        const std::vector<std::string>& targets) {
  std::vector<std::string> wanted;
  std::copy_if(targets.begin(), targets.end(), std::back_inserter(wanted), [&](const std::string& name) {
    return std::find(offered.begin(), offered.end(), name) != offered.end();
  });
  return wanted;
}

Feed named(const std::vector<std::string>& names, const std::vector<Tensor>& values) {
  Feed result;
  for (std::size_t i = 0; i < names.size(); ++i) result.emplace(names[i], values[i]);
  return result;
}

class CutRunner : public Runner {
 public:
  CutRunner(const Experiment& experiment, const Task& task, const std::vector<TrialFeed>& feeds, BoundaryTypes types) {
    const graph::Cut cut = make_cut(experiment, task, feeds, types);
    std::vector<std::string> offered;
    for (const auto& output : cut.model.graph().output()) offered.push_back(output.name());
    outputs_ = wanted_outputs(offered, task.targets);
    if (outputs_.empty()) return;
    session_ = std::make_unique<runtime::Session>(cut.model, *experiment.form.store);
    weight_ = Tensor(weight_type(cut.weight), experiment.layer_of(task).shape);
    for (const TrialFeed& feed : feeds) feeds_.push_back(feed_of(experiment, cut, feed));
  }

  void set_weight(std::span<const float> weight) override { encode_weight(weight, weight_); }

  Feed run(std::size_t trial) override { return named(outputs_, session_->run(feeds_[trial], outputs_)); }

  bool reaches_target() const override { return !outputs_.empty(); }

 private:
  DType weight_type(const std::string& name) const {
    for (const ValueInfo& input : session_->inputs()) {
      if (input.name == name) return input.dtype;
    }
    throw Error(ErrorCode::kUnsupported, "The runtime removed the weight from the graph.", name);
  }

  /// All feeds share the weight's bytes, so that rewriting them once changes every trial.
  Feed feed_of(const Experiment& experiment, const graph::Cut& cut, const TrialFeed& source) const {
    Feed feed;
    if (experiment.options.full_reruns) {
      feed = *source.inputs;
    } else {
      for (const std::string& name : cut.boundary) feed.emplace(name, value_of(*source.captured, name));
    }
    feed.insert_or_assign(cut.weight, weight_);
    return feed;
  }

  std::vector<std::string> outputs_;
  std::unique_ptr<runtime::Session> session_;
  Tensor weight_;
  std::vector<Feed> feeds_;
};

class BakedRunner : public Runner {
 public:
  BakedRunner(const Experiment& experiment, const Task& task, std::vector<TrialFeed> feeds)
      : feeds_(std::move(feeds)), store_(*experiment.form.store) {
    outputs_ = task.targets;
    model_ = graph::with_outputs(experiment.form, outputs_);
    const std::string& name = experiment.form.weight_names[task.layer];
    for (auto& initializer : *model_.mutable_graph()->mutable_initializer()) {
      if (initializer.name() == name) initializer_ = &initializer;
    }
    if (initializer_ == nullptr) {
      throw Error(ErrorCode::kInternal, "The weight is missing from the runnable form of the model.", name);
    }
    weight_ = Tensor(graph::dtype_of(initializer_->data_type()), experiment.layer_of(task).shape);
  }

  void set_weight(std::span<const float> weight) override {
    encode_weight(weight, weight_);
    initializer_->clear_external_data();
    initializer_->clear_float_data();
    initializer_->clear_double_data();
    initializer_->clear_int32_data();
    initializer_->clear_raw_data();
    initializer_->clear_data_location();
    graph::TensorStore store = store_;  // entries share their bytes
    if (weight_.size_bytes() >= graph::kStoreThresholdBytes) {
      const auto bytes =
          std::make_shared<std::vector<std::byte>>(weight_.data(), weight_.data() + weight_.size_bytes());
      graph::point_to_store(*initializer_, store.add(*bytes, bytes), bytes->size());
    } else {
      std::string raw(weight_.size_bytes(), '\0');
      std::memcpy(raw.data(), weight_.data(), raw.size());
      initializer_->set_raw_data(raw);
    }
    session_ = std::make_unique<runtime::Session>(model_, store);
  }

  Feed run(std::size_t trial) override { return named(outputs_, session_->run(*feeds_[trial].inputs, outputs_)); }

 private:
  std::vector<TrialFeed> feeds_;
  graph::TensorStore store_;
  std::vector<std::string> outputs_;
  onnx::ModelProto model_;
  onnx::TensorProto* initializer_ = nullptr;
  Tensor weight_;
  std::unique_ptr<runtime::Session> session_;
};

}  // namespace

std::unique_ptr<Runner> make_cut_runner(const Experiment& experiment, const Task& task, std::vector<TrialFeed> feeds,
                                        BoundaryTypes types) {
  return std::make_unique<CutRunner>(experiment, task, feeds, types);
}

std::unique_ptr<Runner> make_baked_runner(const Experiment& experiment, const Task& task,
                                          std::vector<TrialFeed> feeds) {
  return std::make_unique<BakedRunner>(experiment, task, std::move(feeds));
}

}  // namespace mpq::perturb
