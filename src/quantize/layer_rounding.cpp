#include "quantize/layer_rounding.h"

#include <array>
#include <cmath>
#include <limits>

#include "quantize/second_order.h"

namespace mpq::quant {

namespace {

/// One group of channels, ready to be rounded.
struct Group {
  GridProblem problem;
  const Moments2* fit;
  const Moments2* held_out;
  OutputError judge;
};

std::vector<Group> groups_of(const RoundingTask& task, const QuantizedTensor& grid, const InputStatistics& inputs) {
  const std::vector<float> scales = scale_of_each_weight(grid);
  std::vector<Group> groups;
  for (std::size_t g = 0; g < task.view.groups; ++g) {
    groups.push_back(
        {{group_matrix<float>(task.weight, task.view, g),
          group_matrix<float>(std::span<const float>(scales), task.view, g), IntegerRange(task.candidate.bits)},
         &inputs.fit[g],
         &inputs.held_out[g],
         OutputError(inputs.held_out[g])});
  }
  return groups;
}

constexpr std::array<double, 5> kDampings = {.01, .03, .1, .3, 1.};
constexpr std::size_t kFirstDamping = 2;

/// The Gram a method rounds by. A constant input vanishes from the centred Gram but may not be rounded at random,
/// since its mean is an estimate too: a thousandth of the raw diagonal stays.
DoubleMatrix gram_for(const RoundingMethod& method, const Moments2& inputs) {
  if (!method.corrects_bias) return inputs.gram;
  constexpr double kKept = 1e-3;
  DoubleMatrix gram = inputs.centred();
  gram.diagonal().array() += kKept * inputs.gram.diagonal().mean();
  return gram;
}

Matrix rounded(const RoundingMethod& method, const GridProblem& problem, const Moments2& inputs) {
  if (!method.second_order) return round_to_nearest(problem);
  DoubleMatrix gram = gram_for(method, inputs);
  const SecondOrderFactor factor(gram, method.damping);
  if (!factor.valid()) return round_to_nearest(problem);
  Matrix integers = factor.round(problem);
  constexpr int kSweeps = 4;
  gram.diagonal().array() += method.damping * gram.diagonal().mean();
  descend(problem, gram, kSweeps, integers);
  return integers;
}

/// Error on the held-out rows, the mean error of the fitting rows corrected where the method does that.
double held_out_error(const RoundingMethod& method, const std::vector<Group>& groups) {
  double sum = 0;
  for (const Group& group : groups) {
    const Matrix error = rounding_error(group.problem, rounded(method, group.problem, *group.fit));
    Eigen::VectorXf shift;
    if (method.corrects_bias) shift = error * group.fit->mean().cast<float>();
    sum += group.judge.of(error, shift);
  }
  return sum;
}

/// Puts a group's integers into the tensor; what a runtime would compute as infinity takes a step back, as in
/// quantize_grid.
void store(const Matrix& integers, const Matrix& scales, const MatrixView& view, std::size_t group, float limit,
           std::vector<std::int8_t>& values) {
  for (Eigen::Index r = 0; r < integers.rows(); ++r) {
    for (Eigen::Index k = 0; k < integers.cols(); ++k) {
      float value = integers(r, k);
      while (std::fabs(value * scales(r, k)) > limit) value -= value > 0 ? 1 : -1;
      values[view.at(group, static_cast<std::size_t>(r), static_cast<std::size_t>(k))] =
          static_cast<std::int8_t>(value);
    }
  }
}

void add_mean_error(const Matrix& error, const Moments2& inputs, std::vector<float>& mean_error) {
  const Eigen::VectorXf shift = error * inputs.mean().cast<float>();
  mean_error.insert(mean_error.end(), shift.begin(), shift.end());
}

/// Tries dampings from `from` on in steps of `step` while they get better.
void search(const std::vector<Group>& groups, bool corrects_bias, std::size_t from, int step, LayerRounding& best) {
  for (std::size_t i = from; i < kDampings.size(); i += static_cast<std::size_t>(step)) {  // below 0 wraps around
    const RoundingMethod method{true, kDampings[i], corrects_bias};
    const double error = held_out_error(method, groups);
    if (!(error < best.chosen_error)) return;
    best.chosen_error = error;
    best.method = method;
  }
}

void choose_method(const std::vector<Group>& groups, bool has_bias, LayerRounding& best) {
  best.nearest_error = held_out_error({}, groups);
  best.chosen_error = best.nearest_error;
  for (const bool corrects_bias : {false, true}) {
    if (corrects_bias && !has_bias) break;
    if (corrects_bias) {
      const RoundingMethod method{false, 0, true};
      const double error = held_out_error(method, groups);
      if (error < best.chosen_error) {
        best.chosen_error = error;
        best.method = method;
      }
    }
    LayerRounding found;
    found.chosen_error = std::numeric_limits<double>::infinity();
    search(groups, corrects_bias, kFirstDamping, 1, found);
    if (found.method.damping == kDampings[kFirstDamping]) search(groups, corrects_bias, kFirstDamping - 1, -1, found);
    if (!(found.chosen_error < best.chosen_error)) continue;
    best.chosen_error = found.chosen_error;
    best.method = found.method;
  }
}

}  // namespace

std::string to_string(const RoundingMethod& method) {
  std::string text = "nearest";
  if (method.second_order) {
    text = "second-order, damping " + std::to_string(std::lround(100 * method.damping)) + " %";
  }
  return text + (method.corrects_bias ? ", bias corrected" : "");
}

LayerRounding choose_rounding(const RoundingTask& task, const InputStatistics& inputs) {
  LayerRounding result;
  result.numbers = quantize_grid(task.weight, task.layer, task.candidate, task.fit);
  const std::vector<Group> groups = groups_of(task, result.numbers, inputs);
  choose_method(groups, task.has_bias, result);
  if (result.method == RoundingMethod{}) return result;
  const float limit = largest_product(task.layer.dtype);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    Moments2 all = *groups[g].fit;
    all += *groups[g].held_out;
    const Matrix integers = rounded(result.method, groups[g].problem, all);
    store(integers, groups[g].problem.scales, task.view, g, limit, result.numbers.values);
    if (result.method.corrects_bias) {
      add_mean_error(rounding_error(groups[g].problem, integers), all, result.mean_error);
    }
  }
  return result;
}

}  // namespace mpq::quant
