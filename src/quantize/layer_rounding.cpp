#include "quantize/layer_rounding.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <span>

#include "mpq/tensor.h"

#include "quantize/data_free.h"
#include "quantize/matrix_product.h"
#include "quantize/scale_fit.h"
#include "quantize/second_order.h"

namespace mpq::quant {

namespace {

using Eigen::Index;
using MomentsList = std::vector<Moments2>;
using RowNumbers = std::vector<Index>;

constexpr std::array<double, 5> kDampings = {.01, .03, .1, .3, 1.};
constexpr std::size_t kFirstDamping = 2;
constexpr int kSweeps = 4;

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

/// Some rows of a matrix.
Matrix picked(const Matrix& matrix, const RowNumbers& rows) {
  Matrix result(static_cast<Index>(rows.size()), matrix.cols());
  for (std::size_t i = 0; i < rows.size(); ++i) result.row(static_cast<Index>(i)) = matrix.row(rows[i]);
  return result;
}

std::vector<std::uint8_t> picked(const std::vector<std::uint8_t>& widths, const RowNumbers& rows) {
  std::vector<std::uint8_t> result;
  for (const Index row : rows) result.push_back(widths[static_cast<std::size_t>(row)]);
  return result;
}

RowNumbers evenly_spaced(Index count, Index most) {
  RowNumbers rows(static_cast<std::size_t>(std::min(count, most)));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = static_cast<Index>(i) * count / static_cast<Index>(rows.size());
  }
  return rows;
}

/// What to round of one group, and what to round it on.
struct GroupProblem {
  Matrix weights, scales;
  Matrix widest;                         ///< scales that clip nothing; empty where rows cannot choose theirs
  std::span<const std::uint8_t> widths;  ///< of the rows
  std::shared_ptr<const EntryTable> entries;
};

struct RoundedGroup {
  Matrix integers, scales;
};

/// What rounding leaves of every row, as the damped Gram sees it.
RoundedRows nearest_rows(const GridProblem& problem, const SecondOrder& view) {
  RoundedRows result{round_to_nearest(problem), {}};
  const Matrix error = rounding_error(problem, result.integers);
  result.objective = times(error, view.gram()).cwiseProduct(error).rowwise().sum();
  return result;
}

/// Grids to try: the target's own, coarser and finer ones, and the one that clips nothing.
std::vector<Matrix> grids_of(const Matrix& scales, const Matrix& widest) {
  constexpr std::array<float, 4> kRatios = {.8F, .9F, 1.1F, 1.2F};
  std::vector<Matrix> grids{scales};
  for (const float ratio : kRatios) {
    grids.push_back((ratio * scales).unaryExpr([](float scale) { return round_to_half_precision(scale); }));
  }
  grids.push_back(widest);
  return grids;
}

/// Rows of one width rounded as the method says.
RoundedGroup rounded_alike(const RoundingMethod& method, GridProblem problem, const Matrix& widest,
                           const SecondOrder* view) {
  if (view == nullptr || !view->valid()) {
    Matrix integers = round_to_nearest(problem);
    return {std::move(integers), std::move(problem.scales)};
  }
  const auto round = [&] { return method.second_order ? view->round(problem) : nearest_rows(problem, *view); };
  RoundedRows best = round();
  if (method.fits_scales && widest.size() > 0) {
    Matrix scales = problem.scales;
    const std::vector<Matrix> grids = grids_of(problem.scales, widest);
    for (std::size_t i = 1; i < grids.size(); ++i) {
      problem.scales = grids[i];
      const RoundedRows other = round();
      for (Index r = 0; r < scales.rows(); ++r) {
        if (!(other.objective[r] < best.objective[r])) continue;
        best.objective[r] = other.objective[r];
        best.integers.row(r) = other.integers.row(r);
        scales.row(r) = grids[i].row(r);
      }
    }
    problem.scales = std::move(scales);
  }
  if (method.second_order) view->descend(problem, kSweeps, best.integers);
  return {std::move(best.integers), std::move(problem.scales)};
}

/// Takes the group's matrices out of the target: layers may be large.
GroupProblem take_problem(RoundingTarget& target, std::size_t group) {
  return {std::move(target.aims[group]), std::move(target.scales[group]),
          target.widest.empty() ? Matrix() : std::move(target.widest[group]), target.widths[group], target.entries};
}

void put_rows(const Matrix& from, const RowNumbers& rows, Matrix& to) {
  for (std::size_t i = 0; i < rows.size(); ++i) to.row(rows[i]) = from.row(static_cast<Index>(i));
}

/// Rows of one group rounded as the method says, those of every width by themselves.
RoundedGroup rounded(const RoundingMethod& method, GroupProblem problem, const SecondOrder* view) {
  std::map<int, RowNumbers> by_width;
  for (std::size_t r = 0; r < problem.widths.size(); ++r) {
    by_width[problem.widths[r]].push_back(static_cast<Index>(r));
  }
  if (by_width.size() == 1) {
    return rounded_alike(
        method,
        {std::move(problem.weights), std::move(problem.scales), IntegerRange(by_width.begin()->first), problem.entries},
        problem.widest, view);
  }
  RoundedGroup result{problem.weights, problem.scales};
  for (const auto& [width, rows] : by_width) {
    const Matrix widest = problem.widest.size() > 0 ? picked(problem.widest, rows) : Matrix();
    const RoundedGroup part = rounded_alike(
        method, {picked(problem.weights, rows), picked(problem.scales, rows), IntegerRange(width), problem.entries},
        widest, view);
    put_rows(part.integers, rows, result.integers);
    put_rows(part.scales, rows, result.scales);
  }
  return result;
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
  void compete(EntryFit entries, LayerRounding& best);
  const SecondOrder* view(const RoundingMethod& method, std::size_t group);

  const RoundingTask& task_;
  const InputStatistics& inputs_;
  std::vector<Matrix> weights_, picked_weights_;
  RowNumbers rows_;
  std::vector<OutputError> judges_;
  std::map<std::pair<double, EntryFit>, RoundingTarget> targets_;
  std::map<std::pair<bool, double>, std::vector<SecondOrder>> views_;
};

const RoundingTarget& Contest::target(const RoundingMethod& method) {
  const std::pair key(method.correction, method.entries);
  const auto found = targets_.find(key);
  if (found != targets_.end()) return found->second;
  RoundingTarget target = rounding_target(task_, weights_, inputs_.fit, method.correction, method.entries);
  for (std::vector<Matrix>* list : {&target.aims, &target.scales, &target.widest}) {
    for (Matrix& matrix : *list) matrix = picked(matrix, rows_);
  }
  for (std::vector<std::uint8_t>& widths : target.widths) widths = picked(widths, rows_);
  return targets_.emplace(key, std::move(target)).first->second;
}

const SecondOrder* Contest::view(const RoundingMethod& method, std::size_t group) {
  if (!method.looks_at_inputs()) return nullptr;
  std::vector<SecondOrder>& views = views_[{method.corrects_bias, method.damping}];
  if (views.empty()) {
    for (const Moments2& moments : inputs_.fit) views.emplace_back(gram_for(method, task_, moments), method.damping);
  }
  return &views[group];
}

/// Error on the held-out rows, the mean error of the fitting rows corrected where the method does that.
double Contest::error(const RoundingMethod& method) {
  const RoundingTarget& aim = target(method);
  double sum = 0;
  for (std::size_t g = 0; g < picked_weights_.size(); ++g) {
    const Matrix& weights = picked_weights_[g];
    const Matrix widest = aim.widest.empty() ? Matrix() : aim.widest[g];
    const RoundedGroup group =
        rounded(method, {aim.aims[g], aim.scales[g], widest, aim.widths[g], aim.entries}, view(method, g));
    const Matrix change = group.integers.cwiseProduct(group.scales) - weights;
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

/// All methods on one grid, or one way to find the entries of a codebook.
void Contest::compete(EntryFit entries, LayerRounding& best) {
  try_method({.entries = entries}, best);
  search_damping({.entries = entries}, best);
  if (task_.has_bias) {
    try_method({.corrects_bias = true, .entries = entries}, best);
    search_damping({.corrects_bias = true, .entries = entries}, best);
  }
  if (!inputs_.fit[0].drifts()) return;
  for (const double correction : {.1, 1.}) {
    search_damping({.correction = correction, .corrects_bias = task_.has_bias, .entries = entries}, best);
  }
}

LayerRounding Contest::best() {
  LayerRounding best;
  best.nearest_error = best.chosen_error = error({});
  compete(EntryFit::kWeights, best);
  if (task_.candidate.form == "codebook") {
    compete(EntryFit::kInputs, best);
    compete(EntryFit::kGrid, best);
  }
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
  RoundingTarget target = rounding_target(task, weights, inputs, method.correction, method.entries);
  result.numbers = std::move(target.grid);
  if (method == RoundingMethod{}) return result;
  std::vector<Matrix> integers, scales;
  for (std::size_t g = 0; g < inputs.size(); ++g) {
    std::optional<SecondOrder> view;
    if (method.looks_at_inputs()) view.emplace(gram_for(method, task, inputs[g]), method.damping);
    RoundedGroup group = rounded(method, take_problem(target, g), view ? &*view : nullptr);
    if (method.corrects_bias) {
      const Eigen::VectorXf shift =
          mean_error(group.integers.cwiseProduct(group.scales) - weights[g], weights[g], inputs[g]);
      result.mean_error.insert(result.mean_error.end(), shift.begin(), shift.end());
    }
    integers.push_back(std::move(group.integers));
    scales.push_back(std::move(group.scales));
  }
  store(task, integers, scales, result.numbers);
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
