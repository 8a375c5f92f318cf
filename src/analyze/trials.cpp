#include "analyze/trials.h"

#include "mpq/error.h"

#include "analyze/cost.h"
#include "analyze/runner.h"
#include "support/text.h"

namespace mpq::perturb {

namespace {

/// An unperturbed rerun must give the network's own outputs, up to the order of float additions (about 1e-12 in
/// squared metrics). More means that the part does not compute what the network computes.
constexpr double kSameOutput = 1e-3;

/// One layer, one range of trials, one runner: everything the inner loops share.
struct Item {
  const Experiment& experiment;
  const Reference& reference;
  StoredWeights& stored;
  std::size_t index;
  const Task& task;
  TrialRange range;
  const Captured& captured;
  const Observer& observer;
  std::vector<float> weight;

  const Layer& layer() const { return experiment.layer_of(task); }

  void stop_if_cancelled() const {
    if (observer.cancelled()) throw Error(ErrorCode::kInterrupted, "The analysis was interrupted.");
  }

  double run(Runner& runner, std::size_t k) const {
    const Feed changed = runner.run(k);
    return trial_damage(reference, task.targets, captured.at(experiment.sample_of(range.first + k)), changed);
  }
};

/// The rounding error each candidate really makes: nothing is random but the sample.
void run_quantization(const Item& item, Runner& runner, ItemResult& result) {
  for (std::size_t c = 0; c < item.task.candidates.size(); ++c) {
    item.stop_if_cancelled();
    const double before = thread_seconds();
    const std::vector<float> values = item.stored.values(item.index, c, item.weight);
    result.fit_seconds += thread_seconds() - before;
    runner.set_weight(values);
    for (std::size_t k = 0; k < item.range.count; ++k) result.damages[c][k] = item.run(runner, k);
    result.runs += static_cast<std::int64_t>(item.range.count);
  }
}

/// Random noise of each candidate's strength; the antithetic partner W - E cancels the odd part of the response.
void run_random(const Item& item, Runner& runner, ItemResult& result) {
  const double before = thread_seconds();
  std::vector<Amplitude> amplitudes;
  for (std::size_t c = 0; c < item.task.candidates.size(); ++c) {
    item.stop_if_cancelled();
    amplitudes.push_back(item.stored.amplitude(item.index, c, item.weight));
  }
  result.fit_seconds += thread_seconds() - before;
  const bool antithetic = item.experiment.options.antithetic;
  std::vector<float> perturbed(item.weight.size());
  const auto damage = [&](const std::vector<float>& noise, const Amplitude& amplitude, float sign, std::size_t k) {
    add_noise(item.weight, noise, amplitude, sign, perturbed);
    runner.set_weight(perturbed);
    ++result.runs;
    return item.run(runner, k);
  };
  for (std::size_t k = 0; k < item.range.count; ++k) {
    const std::vector<float> noise = draw_noise(item.experiment.law, item.experiment.options.seed, item.layer().name,
                                                item.experiment.number_of(item.range.first + k), item.weight.size());
    for (std::size_t c = 0; c < amplitudes.size(); ++c) {
      item.stop_if_cancelled();
      const double forth = damage(noise, amplitudes[c], 1, k);
      result.damages[c][k] = antithetic ? (forth + damage(noise, amplitudes[c], -1, k)) / 2 : forth;
    }
  }
}

ItemResult run_with(const Item& item, Runner& runner, bool must_reproduce) {
  ItemResult result;
  result.damages.assign(item.task.candidates.size(), std::vector<double>(item.range.count, 0.0));
  if (!runner.reaches_target()) {
    result.remark = "Layer \"" + item.layer().name + "\" has no influence on the measured outputs.";
    return result;
  }
  runner.set_weight(item.weight);
  const double floor = item.run(runner, 0);
  if (floor > kSameOutput) {
    const std::string found = "the unperturbed rerun differs from the network's output by " + format_number(floor);
    if (must_reproduce) throw Error(ErrorCode::kUnsupported, found);
    result.remark =
        "Layer \"" + item.layer().name + "\": " + found + "; the model does not compute the same output twice.";
  }
  item.experiment.law == Law::kQuantization ? run_quantization(item, runner, result) : run_random(item, runner, result);
  return result;
}

/// One way to run the layer; tried in order.
struct Attempt {
  std::unique_ptr<Runner> (*make)(const Item& item, const std::vector<TrialFeed>& feeds);
  bool must_reproduce;  ///< the network's own output
  bool slow;
};

constexpr Attempt kAttempts[] = {
    {[](const Item& item, const std::vector<TrialFeed>& feeds) {
       return make_cut_runner(item.experiment, item.task, feeds, BoundaryTypes::kExact);
     },
     true, false},
    {[](const Item& item, const std::vector<TrialFeed>& feeds) {
       return make_cut_runner(item.experiment, item.task, feeds, BoundaryTypes::kDeclared);
     },
     true, false},
    {[](const Item& item, const std::vector<TrialFeed>& feeds) {
       return make_baked_runner(item.experiment, item.task, feeds);
     },
     false, true},
};

}  // namespace

ItemResult run_trials(const Experiment& experiment, const Reference& reference, StoredWeights& stored,
                      std::size_t index, TrialRange range, const Captured& captured, const Observer& observer) {
  const Task& task = experiment.tasks[index];
  const Item item{
      experiment, reference, stored, index, task, range, captured, observer, experiment.model.weight(task.layer)};
  std::vector<TrialFeed> feeds;
  for (std::size_t k = 0; k < range.count; ++k) {
    const std::size_t sample = experiment.sample_of(range.first + k);
    feeds.push_back({&experiment.samples[sample], &captured.at(sample)});
  }
  std::string cause;
  for (const Attempt& attempt : kAttempts) {
    try {
      const auto runner = attempt.make(item, feeds);
      ItemResult result = run_with(item, *runner, attempt.must_reproduce);
      if (attempt.slow && result.remark.empty()) {
        result.remark =
            "Layer \"" + item.layer().name +
            "\" is measured by slow full runs, because its part of the network does not run alone: " + cause;
      }
      return result;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInterrupted) throw;
      cause = error.what();
    }
  }
  ItemResult failed;
  failed.failure = "It cannot be perturbed: " + cause;
  return failed;
}

}  // namespace mpq::perturb
