#include "quantize/layer_rounding.h"

#include <array>
#include <cmath>
#include <limits>

#include <Eigen/Cholesky>

#include "quantize/codebook.h"
#include "quantize/entry_table.h"
#include "quantize/second_order.h"

namespace mpq::quant {

namespace {

using MomentsList = std::vector<Moments2>;

/// The weights a method rounds, group by group, and the grid it rounds them on.
struct Target {
  QuantizedTensor grid;
  std::vector<GridProblem> problems;
};

std::vector<Matrix> matrices_of(std::span<const float> tensor, const MatrixView& view) {
  std::vector<Matrix> result;
  for (std::size_t g = 0; g < view.groups; ++g) result.push_back(group_matrix<float>(tensor, view, g));
  return result;
}

/// W*: the weights that answer the inputs as they arrive now as W answered them before.
Matrix corrected(const Matrix& weights, const Moments2& inputs, double lambda, bool centred) {
  DoubleMatrix gram = centred ? inputs.centred() : inputs.gram;
  const DoubleMatrix cross = centred ? inputs.centred_cross() : inputs.cross;
  const double mean = gram.diagonal().mean();
  if (!(mean > 0)) return weights;
  gram.diagonal().array() += lambda * mean;
  const Eigen::LLT<Eigen::MatrixXd> factor{Eigen::MatrixXd(gram)};
  if (factor.info() != Eigen::Success) return weights;
  const Eigen::MatrixXd change = factor.solve(cross * weights.cast<double>().transpose());
  if (!change.allFinite()) return weights;
  return weights - change.transpose().cast<float>();
}

/// The diagonal of the Gram, for every weight of its column; a tenth of its mean is added, for the inputs are samples.
std::vector<float> input_energies(const RoundingTask& task, const MomentsList& inputs) {
  constexpr double kFloor = 0.1;
  std::vector<float> result(task.weight.size());
  for (std::size_t g = 0; g < task.view.groups; ++g) {
    const Eigen::VectorXd diagonal = inputs[g].gram.diagonal() / inputs[g].count;
    const double floor = kFloor * diagonal.mean();
    for (std::size_t k = 0; k < task.view.columns; ++k) {
      const auto energy = static_cast<float>(diagonal[static_cast<Eigen::Index>(k)] + floor);
      for (std::size_t r = 0; r < task.view.rows; ++r) result[task.view.at(g, r, k)] = energy;
    }
  }
  return result;
}

QuantizedTensor nearest_numbers(const RoundingTask& task, std::span<const float> weight, const MomentsList& inputs) {
  if (task.candidate.form != "codebook") return quantize_grid(weight, task.layer, task.candidate, task.fit);
  switch (task.entries) {
    case EntryFit::kGrid:
      return codebook_of_grid(weight, task.layer, task.candidate, task.fit);
    case EntryFit::kInputs:
      return quantize_codebook(weight, task.layer, task.candidate, input_energies(task, inputs));
    case EntryFit::kWeights:
      break;
  }
  return quantize_codebook(weight, task.layer, task.candidate);
}

Target target_of(const RoundingTask& task, const std::vector<Matrix>& weights, const MomentsList& inputs,
                 double correction) {
  std::vector<Matrix> aims = weights;
  std::vector<float> tensor(task.weight.begin(), task.weight.end());
  for (std::size_t g = 0; correction > 0 && g < aims.size(); ++g) {
    aims[g] = corrected(weights[g], inputs[g], correction, task.has_bias);
    for (Eigen::Index r = 0; r < aims[g].rows(); ++r) {
      for (Eigen::Index k = 0; k < aims[g].cols(); ++k) {
        tensor[task.view.at(g, static_cast<std::size_t>(r), static_cast<std::size_t>(k))] = aims[g](r, k);
      }
    }
  }
  Target target{nearest_numbers(task, tensor, inputs), {}};
  std::shared_ptr<const EntryTable> entries;
  if (!target.grid.codebook.empty()) entries = std::make_shared<const EntryTable>(target.grid.codebook);
  std::vector<Matrix> scales = matrices_of(scale_of_each_weight(target.grid), task.view);
  for (std::size_t g = 0; g < aims.size(); ++g) {
    target.problems.push_back({std::move(aims[g]), std::move(scales[g]), IntegerRange(task.candidate.bits), entries});
  }
  return target;
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

Matrix error_of(const GridProblem& problem, const Matrix& integers, const Matrix& weights) {
  return integers.cwiseProduct(problem.scales) - weights;
}

/// What a change of the weights adds to the outputs on average, drift included.
Eigen::VectorXf mean_error(const Matrix& error, const Matrix& weights, const Moments2& inputs) {
  Eigen::VectorXf result = error * inputs.mean().cast<float>();
  if (inputs.drifts()) result += weights * (inputs.drift / inputs.count).cast<float>();
  return result;
}

/// One layer while its method is chosen.
struct Contest {
  const RoundingTask& task;
  const InputStatistics& inputs;
  std::vector<Matrix> weights;
  std::vector<OutputError> judges;

  /// Error on the held-out rows, the mean error of the fitting rows corrected where the method does that.
  double error(const RoundingMethod& method, const Target& target) const {
    double sum = 0;
    for (std::size_t g = 0; g < weights.size(); ++g) {
      const GridProblem& problem = target.problems[g];
      const Matrix change = error_of(problem, rounded(method, problem, inputs.fit[g]), weights[g]);
      Eigen::VectorXf shift;
      if (method.corrects_bias) shift = mean_error(change, weights[g], inputs.fit[g]);
      sum += judges[g].of(change, weights[g], shift);
    }
    return sum;
  }
};

/// Puts a group's integers into the tensor; what a runtime would compute as infinity takes a step back, as in
/// quantize_grid.
void store(const Matrix& integers, const Matrix& scales, const MatrixView& view, std::size_t group, float limit,
           QuantizedTensor& numbers) {
  for (Eigen::Index r = 0; r < integers.rows(); ++r) {
    for (Eigen::Index k = 0; k < integers.cols(); ++k) {
      numbers.values[view.at(group, static_cast<std::size_t>(r), static_cast<std::size_t>(k))] =
          finite_value(static_cast<std::int8_t>(integers(r, k)), scales(r, k), limit, numbers.codebook);
    }
  }
}

/// Tries a method; true when it is the best so far.
bool try_method(const Contest& contest, const Target& target, const RoundingMethod& method, LayerRounding& best) {
  const double error = contest.error(method, target);
  if (!(error < best.chosen_error)) return false;
  best.chosen_error = error;
  best.method = method;
  return true;
}

/// Dampings from 10 % on, up or else down, while they get better.
void search(const Contest& contest, const Target& target, RoundingMethod method, LayerRounding& best) {
  LayerRounding found;
  found.chosen_error = std::numeric_limits<double>::infinity();
  const auto try_damping = [&](std::size_t i) {
    method.damping = kDampings[i];
    return try_method(contest, target, method, found);
  };
  method.second_order = true;
  std::size_t up = kFirstDamping;
  while (up < kDampings.size() && try_damping(up)) ++up;
  std::size_t down = up == kFirstDamping + 1 ? kFirstDamping : 0;
  while (down > 0 && try_damping(down - 1)) --down;
  if (!(found.chosen_error < best.chosen_error)) return;
  best.chosen_error = found.chosen_error;
  best.method = found.method;
}

void choose_method(const Contest& contest, LayerRounding& best) {
  const bool has_bias = contest.task.has_bias;
  {
    const Target plain = target_of(contest.task, contest.weights, contest.inputs.fit, 0);
    best.nearest_error = best.chosen_error = contest.error({}, plain);
    search(contest, plain, {}, best);
    if (has_bias) {
      try_method(contest, plain, {.corrects_bias = true}, best);
      search(contest, plain, {.corrects_bias = true}, best);
    }
  }
  if (!contest.inputs.fit[0].drifts()) return;
  for (const double correction : {.1, 1.}) {
    const Target target = target_of(contest.task, contest.weights, contest.inputs.fit, correction);
    search(contest, target, {.correction = correction, .corrects_bias = has_bias}, best);
  }
}

LayerRounding best_rounding(const RoundingTask& task, const InputStatistics& inputs) {
  LayerRounding result;
  Contest contest{task, inputs, matrices_of(task.weight, task.view), {}};
  for (const Moments2& moments : inputs.held_out) contest.judges.emplace_back(moments);
  choose_method(contest, result);
  MomentsList all = inputs.fit;
  for (std::size_t g = 0; g < all.size(); ++g) all[g] += inputs.held_out[g];
  Target target = target_of(task, contest.weights, all, result.method.correction);
  result.numbers = std::move(target.grid);
  if (result.method == RoundingMethod{}) return result;
  const float limit = largest_product(task.layer.dtype);
  for (std::size_t g = 0; g < all.size(); ++g) {
    const GridProblem& problem = target.problems[g];
    const Matrix integers = rounded(result.method, problem, all[g]);
    store(integers, problem.scales, task.view, g, limit, result.numbers);
    if (!result.method.corrects_bias) continue;
    const Eigen::VectorXf shift =
        mean_error(error_of(problem, integers, contest.weights[g]), contest.weights[g], all[g]);
    result.mean_error.insert(result.mean_error.end(), shift.begin(), shift.end());
  }
  return result;
}

}  // namespace

std::string to_string(const RoundingMethod& method) {
  std::string text = "nearest";
  if (method.second_order) {
    text = "second-order, damping " + std::to_string(std::lround(100 * method.damping)) + " %";
  }
  if (method.correction > 0) text += ", inputs corrected";
  return text + (method.corrects_bias ? ", bias corrected" : "");
}

LayerRounding choose_rounding(const RoundingTask& task, const InputStatistics& inputs) {
  LayerRounding best = best_rounding(task, inputs);
  if (task.candidate.form != "codebook") return best;
  RoundingTask other = task;
  for (const EntryFit fit : {EntryFit::kInputs, EntryFit::kGrid}) {
    other.entries = fit;
    LayerRounding next = best_rounding(other, inputs);
    next.nearest_error = best.nearest_error;
    if (next.chosen_error < best.chosen_error) best = std::move(next);
  }
  return best;
}

}  // namespace mpq::quant
