#include "analyze/doubtful.h"

#include <algorithm>
#include <set>

#include "analyze/rounds.h"
#include "support/statistics.h"
#include "support/text.h"

namespace mpq::perturb {

namespace {

constexpr int kAlwaysDoubtfulBits = 3;
constexpr std::size_t kPilots = 8;
constexpr double kAgreement = 0.8;  // median ratio of the smaller to the larger price at which a width is trusted

using Tasks = std::vector<std::size_t>;

/// Measured and predicted damages of the same layers and candidates.
struct Pairs {
  std::vector<double> measured, predicted;

  double median_ratio() const {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < measured.size(); ++i) {
      if (measured[i] > 0 && predicted[i] > 0) ratios.push_back(predicted[i] / measured[i]);
    }
    return ratios.empty() ? 1 : quantile(ratios, 0.5);
  }
  bool agree() const { return median_ratio() >= kAgreement && median_ratio() <= 1 / kAgreement; }
};

/// The experiment with only these tasks' grid candidates of one width.
struct Restricted {
  Experiment experiment;
  std::vector<std::vector<std::size_t>> origin;  ///< per task: the candidates' places in the whole experiment
};

Restricted restricted(const Experiment& experiment, const Tasks& tasks, int bits) {
  Restricted result{experiment, std::vector<std::vector<std::size_t>>(experiment.tasks.size())};
  const std::set<std::size_t> wanted(tasks.begin(), tasks.end());
  for (std::size_t t = 0; t < experiment.tasks.size(); ++t) {
    Task& task = result.experiment.tasks[t];
    task.candidates.clear();
    task.reference_candidate = 0;
    for (std::size_t c = 0; wanted.count(t) > 0 && c < experiment.tasks[t].candidates.size(); ++c) {
      const Candidate& candidate = experiment.tasks[t].candidates[c];
      if (candidate.form != "grid" || candidate.bits != bits) continue;
      task.candidates.push_back(candidate);
      result.origin[t].push_back(c);
    }
  }
  return result;
}

class Ladder {
 public:
  Ladder(const Experiment& experiment, const Reference& reference, Observer& observer, CostMeter& cost,
         std::vector<TaskOutcome>& outcomes)
      : experiment_(experiment), reference_(reference), observer_(observer), cost_(cost), outcomes_(outcomes) {}

  void climb();

 private:
  /// Reruns the tasks at this width; the measured damages replace the predicted ones.
  Pairs measure(const Tasks& tasks, int bits);

  const Experiment& experiment_;
  const Reference& reference_;
  Observer& observer_;
  CostMeter& cost_;
  std::vector<TaskOutcome>& outcomes_;
  Pairs all_;
};

Pairs Ladder::measure(const Tasks& tasks, int bits) {
  const Restricted part = restricted(experiment_, tasks, bits);
  std::vector<TaskOutcome> found(experiment_.tasks.size());
  Checkpoint none("", "");
  Rounds rounds(part.experiment, reference_, none, observer_, cost_);
  run_until_settled(part.experiment, rounds, tasks, found);
  Pairs pairs;
  for (const std::size_t t : tasks) {
    if (!found[t].failure.empty()) continue;
    outcomes_[t].runs += found[t].runs;
    for (std::size_t i = 0; i < found[t].damages.size(); ++i) {
      std::vector<double>& damages = outcomes_[t].damages[part.origin[t][i]];
      pairs.measured.push_back(mean_and_error(found[t].damages[i]).mean);
      pairs.predicted.push_back(mean_and_error(damages).mean);
      damages = found[t].damages[i];
    }
  }
  all_.measured.insert(all_.measured.end(), pairs.measured.begin(), pairs.measured.end());
  all_.predicted.insert(all_.predicted.end(), pairs.predicted.begin(), pairs.predicted.end());
  return pairs;
}

void Ladder::climb() {
  Tasks open;
  std::set<int> widths;
  for (std::size_t t = 0; t < outcomes_.size(); ++t) {
    if (outcomes_[t].damages.empty()) continue;
    open.push_back(t);
    for (const Candidate& candidate : experiment_.tasks[t].candidates) {
      if (candidate.form == "grid") widths.insert(candidate.bits);
    }
  }
  for (const int bits : widths) {
    Tasks pilots, others;
    const std::size_t stride = bits <= kAlwaysDoubtfulBits ? 1 : (open.size() + kPilots - 1) / kPilots;
    for (std::size_t i = 0; i < open.size(); ++i) (i % stride == 0 ? pilots : others).push_back(open[i]);
    const bool trusted = measure(pilots, bits).agree();
    if (bits <= kAlwaysDoubtfulBits) continue;
    if (trusted) break;
    if (!others.empty()) measure(others, bits);
  }
  if (all_.measured.empty()) return;
  observer_.note("Adjoint and reruns over " + std::to_string(all_.measured.size()) +
                 " layers and widths: Spearman correlation " + format_number(spearman(all_.measured, all_.predicted)) +
                 ", median ratio " + format_number(all_.median_ratio()) + ".");
}

}  // namespace

void rerun_doubtful(const Experiment& experiment, const Reference& reference, Observer& observer, CostMeter& cost,
                    std::vector<TaskOutcome>& outcomes) {
  Ladder(experiment, reference, observer, cost, outcomes).climb();
}

}  // namespace mpq::perturb
