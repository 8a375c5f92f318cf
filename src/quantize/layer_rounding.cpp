#include "quantize/layer_rounding.h"

#include <array>
#include <cmath>

#include "quantize/second_order.h"

namespace mpq::quant {

namespace {

/// One group of channels, ready to be rounded.
struct Group {
  GridProblem problem;
  const Moments2* fit;
  const Moments2* held_out;
};

std::vector<Group> groups_of(const RoundingTask& task, const QuantizedTensor& grid, const InputStatistics& inputs) {
  const std::vector<float> scales = scale_of_each_weight(grid);
  std::vector<Group> groups;
  for (std::size_t g = 0; g < task.view.groups; ++g) {
    groups.push_back(
        {{group_matrix<float>(task.weight, task.view, g),
          group_matrix<float>(std::span<const float>(scales), task.view, g), IntegerRange(task.candidate.bits)},
         &inputs.fit[g],
         &inputs.held_out[g]});
  }
  return groups;
}

/// Every damping, each before and after the polish.
constexpr std::array<double, 4> kDampings = {.01, .1, .3, 1.};

/// The Gram a method rounds by. A constant input vanishes from the centred Gram but may not be rounded at random,
/// since its mean is an estimate too: a thousandth of the raw diagonal stays.
Matrix gram_for(const RoundingMethod& method, const Moments2& inputs) {
  if (!method.corrects_bias) return inputs.gram;
  constexpr double kKept = 1e-3;
  Matrix gram = inputs.centred();
  gram.diagonal().array() += kKept * inputs.gram.diagonal().mean();
  return gram;
}

/// Calls visit(polished, integers) for the method without its polish and, where it is second-order, with it.
template <typename Visit>
void round_both_ways(const RoundingMethod& method, const GridProblem& problem, const Moments2& inputs,
                     const Visit& visit) {
  if (!method.second_order) return visit(false, round_to_nearest(problem));
  Matrix gram = gram_for(method, inputs);
  const SecondOrderFactor factor(gram, method.damping);
  Matrix integers = factor.valid() ? factor.round(problem) : round_to_nearest(problem);
  visit(false, integers);
  if (factor.valid()) {
    constexpr int kSweeps = 4;
    gram.diagonal().array() += method.damping * gram.diagonal().mean();
    descend(problem, gram, kSweeps, integers);
  }
  visit(true, integers);
}

Matrix rounded(const RoundingMethod& method, const GridProblem& problem, const Moments2& inputs) {
  Matrix result;
  round_both_ways(method, problem, inputs, [&](bool polished, const Matrix& integers) {
    if (polished == method.polished) result = integers;
  });
  return result;
}

/// Error on the held-out rows, the mean error of the fitting rows corrected where the method does that.
double held_out_error(const RoundingMethod& method, const Group& group, const Matrix& integers) {
  const Matrix error = rounding_error(group.problem, integers);
  if (!method.corrects_bias) return output_error(error, *group.held_out);
  const Eigen::VectorXd shift = error * group.fit->mean();
  return output_error(error, *group.held_out, &shift);
}

/// Puts a group's integers into the tensor; what a runtime would compute as infinity takes a step back, as in
/// quantize_grid.
void store(const Matrix& integers, const Matrix& scales, const MatrixView& view, std::size_t group, double limit,
           std::vector<std::int8_t>& values) {
  for (Eigen::Index r = 0; r < integers.rows(); ++r) {
    for (Eigen::Index k = 0; k < integers.cols(); ++k) {
      double value = integers(r, k);
      while (std::fabs(value * scales(r, k)) > limit) value -= value > 0 ? 1 : -1;
      values[view.at(group, static_cast<std::size_t>(r), static_cast<std::size_t>(k))] =
          static_cast<std::int8_t>(value);
    }
  }
}

void add_mean_error(const Matrix& error, const Moments2& inputs, std::vector<float>& mean_error) {
  const Eigen::VectorXd shift = error * inputs.mean();
  for (const double value : shift) mean_error.push_back(static_cast<float>(value));
}

/// Held-out errors of a method, [without, with] polish, over all groups.
std::array<double, 2> held_out_errors(const RoundingMethod& method, const std::vector<Group>& groups) {
  std::array<double, 2> errors{};
  for (const Group& group : groups) {
    round_both_ways(method, group.problem, *group.fit, [&](bool polished, const Matrix& integers) {
      errors[polished ? 1 : 0] += held_out_error(method, group, integers);
    });
  }
  return errors;
}

void choose_method(const std::vector<Group>& groups, bool has_bias, LayerRounding& result) {
  result.nearest_error = held_out_errors({}, groups)[0];
  result.chosen_error = result.nearest_error;
  const auto consider = [&](RoundingMethod method) {
    const std::array<double, 2> errors = held_out_errors(method, groups);
    for (const bool polished : {false, true}) {
      const double error = errors[polished ? 1 : 0];
      if ((polished && !method.second_order) || !(error < result.chosen_error)) continue;
      result.chosen_error = error;
      result.method = method;
      result.method.polished = polished;
    }
  };
  for (const bool corrects_bias : {false, true}) {
    if (corrects_bias && !has_bias) break;
    if (corrects_bias) consider({false, 0, false, true});
    for (const double damping : kDampings) consider({true, damping, false, corrects_bias});
  }
}

}  // namespace

std::string to_string(const RoundingMethod& method) {
  std::string text = "nearest";
  if (method.second_order) {
    text = "second-order, damping " + std::to_string(std::lround(100 * method.damping)) + " %";
    if (method.polished) text += ", polished";
  }
  return text + (method.corrects_bias ? ", bias corrected" : "");
}

LayerRounding choose_rounding(const RoundingTask& task, const InputStatistics& inputs) {
  LayerRounding result;
  result.numbers = quantize_grid(task.weight, task.layer, task.candidate, task.fit);
  const std::vector<Group> groups = groups_of(task, result.numbers, inputs);
  choose_method(groups, task.has_bias, result);
  if (result.method == RoundingMethod{}) return result;
  const double limit = static_cast<double>(largest_product(task.layer.dtype));
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
