#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mpq/error.h"
#include "mpq/samples.h"

#include "data/cast.h"
#include "data/facts.h"
#include "data/guess_shapes.h"
#include "data/input_hints.h"
#include "graph/memory_plan.h"
#include "graph/model_impl.h"
#include "graph/values.h"
#include "graph/wording.h"
#include "runtime/sampled_network.h"
#include "runtime/session.h"
#include "support/random.h"
#include "support/values.h"

namespace mpq {
namespace {

using data::InputHints;

Tensor cast_to(const Tensor& tensor, DType type) {
  std::optional<data::CastLoss> loss;
  std::optional<Tensor> cast = data::cast_faithfully(tensor, type, loss);
  if (!cast) throw Error(ErrorCode::kInternal, "A synthetic number does not fit its type.");
  return *cast;
}

/// Standard normal, clipped to three deviations: what a normalised input looks like.
Tensor normal(const std::vector<std::int64_t>& shape, std::uint64_t key) {
  Tensor tensor(DType::kFloat32, shape);
  fill_gaussian(Philox(key), tensor.as_mutable<float>());
  for (float& value : tensor.as_mutable<float>()) value = std::clamp(value, -3.0F, 3.0F);
  return tensor;
}

/// Row numbers below `rows`, drawn evenly (Lemire's multiplication; its bias is below rows / 2^32).
Tensor row_numbers(const std::vector<std::int64_t>& shape, std::int64_t rows, std::uint64_t key) {
  Tensor tensor(DType::kInt64, shape);
  const Philox stream(key);
  const auto values = tensor.as_mutable<std::int64_t>();
  const auto range = static_cast<std::uint64_t>(std::min<std::int64_t>(rows, std::int64_t{1} << 31));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint64_t word = stream.block(i / 4)[i % 4];
    values[i] = static_cast<std::int64_t>((word * range) >> 32);
  }
  return tensor;
}

Tensor constant(const std::vector<std::int64_t>& shape, std::int64_t value) {
  Tensor tensor(DType::kInt64, shape);
  std::ranges::fill(tensor.as_mutable<std::int64_t>(), value);
  return tensor;
}

/// Integers that index a table are rows of it; those compared with a constant are that constant; all others are 1,
/// which is what masks, lengths and counts can bear.
Tensor integers(const std::vector<std::int64_t>& shape, DType type, const InputHints& hints, std::uint64_t key) {
  const auto capacity = std::int64_t{1} << std::min<std::size_t>(62, 8 * dtype_size(type) - 1);
  if (type == DType::kBool) return constant(shape, 1);
  if (hints.rows) return row_numbers(shape, std::min(*hints.rows, capacity), key);
  const std::int64_t value = hints.compared_with.value_or(1);
  return constant(shape, value >= 0 && value < capacity ? value : 1);
}

/// How inputs are made up.
struct Recipe {
  data::Shapes shapes;
  bool positive = false;  ///< floating numbers without their sign, for models that take logarithms or roots
};

Feed synthetic_feed(const Model& model, const std::map<std::string, InputHints>& hints, const Recipe& recipe,
                    std::uint64_t key) {
  Feed feed;
  for (const ValueInfo& input : model.inputs()) {
    const std::vector<std::int64_t>& shape = recipe.shapes.at(input.name);
    const std::uint64_t input_key = mix_key(key, input.name);
    Tensor tensor = data::is_floating(input.dtype) ? normal(shape, input_key)
                                                   : integers(shape, input.dtype, hints.at(input.name), input_key);
    if (recipe.positive && tensor.type() == DType::kFloat32) {
      for (float& value : tensor.as_mutable<float>()) value = std::abs(value);
    }
    feed[input.name] = cast_to(tensor, input.dtype);
  }
  return feed;
}

bool holds_a_number(const Tensor& tensor) {
  if (!data::is_floating(tensor.type()) || tensor.size() == 0) return true;
  bool found = false;
  for_each_chunk(tensor, [&](std::span<const double> values) {
    found = found || std::any_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
  });
  return found;
}

/// A model on one feed at a time. Large ones run piece by piece: making up inputs must not take more memory than the
/// work they are for may have.
class Trial {
 public:
  explicit Trial(const Model& model) : model_(model) {
    std::int64_t bytes = 0;
    const graph::TensorStore& store = *model.impl().store;
    for (std::size_t i = 0; i < store.size(); ++i) bytes += static_cast<std::int64_t>(store.bytes(i).size());
    if (bytes <= kLarge) session_.emplace(model);
  }

  /// Whether no output is without a finite number, as far as that is looked at. Throws Error when the model does not
  /// run on the feed.
  bool runs_to_numbers(const Feed& feed) const {
    if (session_) {
      const std::vector<Tensor> outputs = session_->run(feed);
      return std::all_of(outputs.begin(), outputs.end(), holds_a_number);
    }
    const graph::MemoryPlan pieces{.pieces = true, .piece_bytes = kLarge, .crossing_bytes = kLarge};
    const Samples samples({feed}, {});
    const runtime::SampledNetwork network(model_, samples, pieces, 1, silent_observer());
    return true;
  }

 private:
  static constexpr std::int64_t kLarge = std::int64_t{64} << 20;
  const Model& model_;
  std::optional<runtime::Session> session_;
};

/// The first of the guesses with which the model really runs; what was not guessed is taken as it is. Where normal
/// inputs lead to no number and positive ones do, these.
Recipe working_recipe(const Model& model, const std::map<std::string, InputHints>& hints) {
  const bool is_given = data::all_fixed(model);
  std::string cause;
  std::optional<Trial> trial;
  for (const data::Shapes& shapes : data::guess_shapes(model, hints)) {
    const Recipe normal{shapes, false}, positive{shapes, true};
    try {
      if (!trial) trial.emplace(model);
      if (trial->runs_to_numbers(synthetic_feed(model, hints, normal, 0))) return normal;
      return trial->runs_to_numbers(synthetic_feed(model, hints, positive, 0)) ? positive : normal;
    } catch (const Error& error) {
      if (is_given) return normal;
      if (!trial) throw;
      if (cause.empty()) cause = error.what();
    }
  }
  throw Error(ErrorCode::kInvalidInput, "No inputs could be made up with which the model runs. " + cause,
              model.facts().path, "Give real inputs with --calibration (for `mpq verify`, --data).");
}

}  // namespace

Samples Samples::synthetic(const Model& model, std::int64_t count, std::uint64_t seed) {
  const graph::ValueTable table(model.impl().proto, true);
  std::map<std::string, InputHints> hints;
  for (const ValueInfo& input : model.inputs()) {
    if (input.dtype == DType::kString) {
      throw Error(ErrorCode::kUnsupported,
                  "The model's input " + graph::in_quotes(input.name) + " takes strings, which mpq cannot make up.",
                  model.facts().path, "Cut the model behind its text preprocessing.");
    }
    hints[input.name] = data::hints_for(model, table, input);
  }
  const Recipe recipe = working_recipe(model, hints);
  std::vector<Feed> feeds;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint64_t key = mix_key(mix_key(seed, "synthetic samples"), static_cast<std::uint64_t>(i));
    feeds.push_back(synthetic_feed(model, hints, recipe, key));
  }
  DataFacts facts = data::facts_of(feeds, "synthetic", true);
  return {std::move(feeds), std::move(facts)};
}

}  // namespace mpq
