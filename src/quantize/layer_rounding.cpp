#include "quantize/layer_rounding.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <span>

#include "mpq/tensor.h"

#include "quantize/data_free.h"
#include "quantize/group_rounding.h"
#include "quantize/matrix_product.h"
#include "quantize/trellis_rounding.h"

namespace mpq::quant {

namespace {

using Eigen::Index;
using MomentsList = std::vector<Moments2>;

constexpr std::array<double, 5> kDampings = {.01, .03, .1, .3, 1.};
constexpr std::size_t kFirstDamping = 2;

/// Weights of one input channel that stand side by side in a row: the taps of a convolution's kernel.
std::size_t taps_of(const RoundingTask& task) {
  const std::vector<std::int64_t>& shape = task.layer.shape;
  if (task.layer.op != "Conv" || shape.size() < 3) return 1;
  return static_cast<std::size_t>(element_count(std::span(shape).subspan(2)));
}

/// The Gram a method rounds by. A constant input vanishes from the centred Gram but may not be rounded at random,
/// since its mean is an estimate too: a thousandth of the raw diagonal stays.
DoubleMatrix gram_for(const RoundingMethod& method, const RoundingTask& task, const Moments2& inputs) {
  if (method.data_free) return data_free_gram(inputs, taps_of(task), method.trust);
  if (!method.corrects_bias) return inputs.gram;
  constexpr double kKept = 1e-3;
  DoubleMatrix gram = inputs.centred();
  gram.diagonal().array() += kKept * inputs.gram.diagonal().mean();
  return gram;
}

RowNumbers evenly_spaced(Index count, Index most) {
  RowNumbers rows(static_cast<std::size_t>(std::min(count, most)));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = static_cast<Index>(i) * count / static_cast<Index>(rows.size());
  }
  return rows;
}

/// Takes the group's matrices out of the target: layers may be large.
GroupProblem take_problem(RoundingTarget& target, std::size_t group) {
  return {std::move(target.aims[group]), std::move(target.scales[group]),
          target.widest.empty() ? Matrix() : std::move(target.widest[group]), target.widths[group]};
}

std::vector<SecondOrder> views_for(const RoundingMethod& method, const RoundingTask& task, const MomentsList& inputs) {
  std::vector<DoubleMatrix> grams;
  for (const Moments2& moments : inputs) grams.push_back(gram_for(method, task, moments));
  if (!task.candidate.is_trellis()) return views_of(grams, method.damping);
  return views_in_one_order(grams, method.damping, task.view.groups * task.view.rows);
}

/// `grid`: of the target. `views`: empty for to nearest.
std::vector<RoundedGroup> rounded_groups(const RoundingMethod& method, std::vector<GroupProblem> problems,
                                         const QuantizedTensor& grid, const std::vector<SecondOrder>& views) {
  if (grid.candidate.is_trellis()) return rounded_along_trellis(method, std::move(problems), grid.entries, views);
  std::vector<RoundedGroup> result;
  for (std::size_t g = 0; g < problems.size(); ++g) {
    result.push_back(rounded(method, std::move(problems[g]), views.empty() ? nullptr : &views[g]));
  }
  return result;
}

/// Whether anything but to nearest is possible.
bool can_round(const RoundingTask& task) {
  return !task.candidate.is_trellis() || runs_along_rows(task.layer, task.view);
}

/// What a change of the weights adds to the outputs on average, drift included.
Eigen::VectorXf mean_error(const Matrix& error, const Matrix& weights, const Moments2& inputs) {
  Eigen::VectorXf result = error * inputs.mean().cast<float>();
  if (inputs.drifts()) result += weights * (inputs.drift / inputs.count).cast<float>();
  return result;
}

/// One layer while its method is chosen. Rows know nothing of each other, so where there are many some tell enough.
class Contest {
 public:
  Contest(const RoundingTask& task, const InputStatistics& inputs)
      : task_(task), inputs_(inputs), weights_(matrices_of(task.weight, task.view)) {
    constexpr Index kMostRows = 128;
    rows_ = evenly_spaced(static_cast<Index>(task.view.rows), kMostRows);
    for (const Moments2& moments : inputs.held_out) judges_.emplace_back(moments);
    for (const Matrix& weights : weights_) picked_weights_.push_back(picked(weights, rows_));
  }

  /// The method that errs least on the held-out rows.
  LayerRounding best();
  const std::vector<Matrix>& weights() const { return weights_; }

 private:
  double error(const RoundingMethod& method);
  bool try_method(const RoundingMethod& method, LayerRounding& best);
  void search_damping(RoundingMethod method, LayerRounding& best);
  const RoundingTarget& target(const RoundingMethod& method);
  void compete(LayerRounding& best);
  const std::vector<SecondOrder>& views(const RoundingMethod& method);

  const RoundingTask& task_;
  const InputStatistics& inputs_;
  std::vector<Matrix> weights_, picked_weights_;
  RowNumbers rows_;
  std::vector<OutputError> judges_;
  std::map<double, RoundingTarget> targets_;
  std::map<std::pair<bool, double>, std::vector<SecondOrder>> views_;
};

const RoundingTarget& Contest::target(const RoundingMethod& method) {
  const auto found = targets_.find(method.correction);
  if (found != targets_.end()) return found->second;
  RoundingTarget target = rounding_target(task_, weights_, inputs_.fit, method.correction);
  for (std::vector<Matrix>* list : {&target.aims, &target.scales, &target.widest}) {
    for (Matrix& matrix : *list) matrix = picked(matrix, rows_);
  }
  for (std::vector<std::uint8_t>& widths : target.widths) widths = picked(widths, rows_);
  return targets_.emplace(method.correction, std::move(target)).first->second;
}

const std::vector<SecondOrder>& Contest::views(const RoundingMethod& method) {
  static const std::vector<SecondOrder> kNone;
  if (!method.looks_at_inputs()) return kNone;
  std::vector<SecondOrder>& views = views_[{method.corrects_bias, method.damping}];
  if (views.empty()) views = views_for(method, task_, inputs_.fit);
  return views;
}

/// Error on the held-out rows, the mean error of the fitting rows corrected where the method does that.
double Contest::error(const RoundingMethod& method) {
  const RoundingTarget& aim = target(method);
  std::vector<GroupProblem> problems;
  for (std::size_t g = 0; g < picked_weights_.size(); ++g) {
    const Matrix widest = aim.widest.empty() ? Matrix() : aim.widest[g];
    problems.push_back({aim.aims[g], aim.scales[g], widest, aim.widths[g]});
  }
  const std::vector<RoundedGroup> groups = rounded_groups(method, std::move(problems), aim.grid, views(method));
  double sum = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const Matrix& weights = picked_weights_[g];
    const Matrix change = groups[g].integers.cwiseProduct(groups[g].scales) - weights;
    Eigen::VectorXf shift;
    if (method.corrects_bias) shift = mean_error(change, weights, inputs_.fit[g]);
    sum += judges_[g].of(change, weights, shift);
  }
  return sum;
}

bool Contest::try_method(const RoundingMethod& method, LayerRounding& best) {
  const double found = error(method);
  if (!(found < best.chosen_error)) return false;
  best.chosen_error = found;
  best.method = method;
  return true;
}

/// Dampings from 10 % on, up or else down, while they get better.
void Contest::search_damping(RoundingMethod method, LayerRounding& best) {
  method.second_order = true;
  LayerRounding found;
  found.chosen_error = std::numeric_limits<double>::infinity();
  const auto try_damping = [&](std::size_t i) {
    method.damping = kDampings[i];
    return try_method(method, found);
  };
  std::size_t up = kFirstDamping;
  while (up < kDampings.size() && try_damping(up)) ++up;
  std::size_t down = up == kFirstDamping + 1 ? kFirstDamping : 0;
  while (down > 0 && try_damping(down - 1)) --down;
  if (!(found.chosen_error < best.chosen_error)) return;
  best.chosen_error = found.chosen_error;
  best.method = found.method;
}

void Contest::compete(LayerRounding& best) {
  search_damping({}, best);
  if (task_.has_bias) {
    try_method({.corrects_bias = true}, best);
    search_damping({.corrects_bias = true}, best);
  }
  if (!inputs_.fit[0].drifts()) return;
  for (const double correction : {.1, 1.}) {
    search_damping({.correction = correction, .corrects_bias = task_.has_bias}, best);
  }
}

LayerRounding Contest::best() {
  LayerRounding best;
  if (!can_round(task_)) return best;
  best.nearest_error = best.chosen_error = error({});
  compete(best);
  if (!task_.fits_scales) return best;
  RoundingMethod fitted = best.method;
  fitted.fits_scales = true;
  if (!fitted.second_order) fitted.damping = kDampings[kFirstDamping];
  try_method(fitted, best);
  return best;
}

}  // namespace

std::string to_string(const RoundingMethod& method) {
  if (method.data_free) return "data-free";
  std::string text = "nearest";
  if (method.second_order) {
    text = "second-order, damping " + std::to_string(std::lround(100 * method.damping)) + " %";
  }
  if (method.correction > 0) text += ", inputs corrected";
  if (method.fits_scales) text += ", scales fitted";
  return text + (method.corrects_bias ? ", bias corrected" : "");
}

namespace {

LayerRounding round_with(const RoundingTask& task, const std::vector<Matrix>& weights, const MomentsList& inputs,
                         const RoundingMethod& method) {
  LayerRounding result;
  result.method = method;
  RoundingTarget target = rounding_target(task, weights, inputs, method.correction);
  result.numbers = std::move(target.grid);
  if (method == RoundingMethod{} || !can_round(task)) return result;
  std::vector<SecondOrder> views;
  if (method.looks_at_inputs()) views = views_for(method, task, inputs);
  std::vector<GroupProblem> problems;
  for (std::size_t g = 0; g < inputs.size(); ++g) problems.push_back(take_problem(target, g));
  const std::vector<RoundedGroup> groups = rounded_groups(method, std::move(problems), result.numbers, views);
  for (std::size_t g = 0; g < inputs.size() && method.corrects_bias; ++g) {
    const Matrix error = groups[g].integers.cwiseProduct(groups[g].scales) - weights[g];
    const Eigen::VectorXf shift = mean_error(error, weights[g], inputs[g]);
    result.mean_error.insert(result.mean_error.end(), shift.begin(), shift.end());
  }
  store(task, groups, result.numbers);
  return result;
}

}  // namespace

LayerRounding choose_method(const RoundingTask& task, const InputStatistics& inputs) {
  return Contest(task, inputs).best();
}

LayerRounding choose_rounding(const RoundingTask& task, const InputStatistics& inputs) {
  Contest contest(task, inputs);
  const LayerRounding best = contest.best();
  LayerRounding result = round_with(task, contest.weights(), inputs.fit, best.method);
  result.nearest_error = best.nearest_error;
  result.chosen_error = best.chosen_error;
  return result;
}

LayerRounding round_data_free(const RoundingTask& task, const InputStatistics& inputs, double trust) {
  return round_layer(task, inputs, {.second_order = true, .data_free = true, .trust = trust});
}

LayerRounding round_layer(const RoundingTask& task, const InputStatistics& inputs, const RoundingMethod& method) {
  MomentsList all = inputs.fit;
  for (std::size_t g = 0; g < all.size(); ++g) all[g] += inputs.held_out[g];
  return round_with(task, matrices_of(task.weight, task.view), all, method);
}

}  // namespace mpq::quant
