#include "calibrate/weight_rounder.h"

#include <algorithm>
#include <set>

#include "mpq/error.h"

#include "calibrate/activations.h"
#include "calibrate/bias.h"
#include "calibrate/input_rows.h"
#include "graph/run_index.h"
#include "quantize/codebook.h"
#include "support/parallel.h"

namespace mpq::calibrate {

namespace {

constexpr std::int64_t kStatisticsBytes = std::int64_t{1} << 30;    // of the Grams held at a time
constexpr std::int64_t kActivationBytes = std::int64_t{512} << 20;  // of the captured activations held at a time
constexpr std::int64_t kMostAtOnce = 64;                            // samples
constexpr std::size_t kMostColumns = 8192;  // Grams of so many inputs fill kStatisticsBytes twice over
constexpr std::size_t kRows = 65536;        // per layer: far more than inputs, few enough to be quick

std::int64_t statistics_bytes(const quant::MatrixView& view) {
  constexpr std::int64_t kGrams = 4 * sizeof(double);  // two halves, each with its cross products
  return kGrams * static_cast<std::int64_t>(view.groups * view.columns * view.columns);
}

std::vector<std::string> activations_of(const std::vector<const InputUse*>& uses) {
  std::set<std::string> names;
  for (const InputUse* use : uses) names.insert(use->activation);
  return {names.begin(), names.end()};
}

}  // namespace

WeightRounder::WeightRounder(const Model& model, const Samples& samples, bool sequential, int threads,
                             Observer& observer)
    : model_(model),
      samples_(samples),
      sequential_(sequential),
      threads_(threads),
      observer_(observer),
      form_(graph::run_form(model)),
      prefix_(form_) {}

void WeightRounder::check_cancelled() const {
  if (observer_.cancelled()) throw Error(ErrorCode::kInterrupted, "Interrupted while the weights were rounded.");
}

std::vector<WeightRounder::Job> WeightRounder::jobs_for(const std::vector<RoundingRequest>& requests) {
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto inputs = layer_inputs(model_, form_, requests[i].layer);
    if (!inputs || inputs->view.columns > kMostColumns || inputs->view.size() == 0) continue;
    inputs_.insert_or_assign(requests[i].layer, *inputs);
    const auto same = std::find_if(jobs.begin(), jobs.end(), [&](const Job& job) {
      return job.inputs.uses == inputs->uses && job.inputs.view.groups == inputs->view.groups &&
             job.inputs.view.columns == inputs->view.columns;
    });
    Job& job = same != jobs.end() ? *same : jobs.emplace_back(Job{*inputs, {}, {}, true});
    job.requests.push_back(i);
  }
  const auto last_input = [&](const Job& job) {  // values are numbered in the order they are computed
    int last = -1;
    for (const InputUse& use : job.inputs.uses) last = std::max(last, form_.index->find(use.activation));
    return last;
  };
  std::stable_sort(jobs.begin(), jobs.end(), [&](const Job& a, const Job& b) { return last_input(a) < last_input(b); });
  return jobs;
}

/// Layers that are passed over are rounded to nearest, so that those behind them can make up for it.
void WeightRounder::start_prefix(const std::vector<RoundingRequest>& requests, quant::ScaleFit fit) {
  prefix_ = QuantizedPrefix(form_);
  for (const auto& [layer, candidate] : requests) {
    if (inputs_.count(layer) > 0) continue;
    check_cancelled();
    const quant::QuantizedTensor grid =
        quant::quantize_weight(model_.weight(layer), model_.layers()[layer], candidate, fit, threads_);
    prefix_.set(form_.weight_names[layer], quant::dequantize(grid));
  }
}

void WeightRounder::add_sample(Job& job, std::size_t sample, const Captured& captured) const {
  const Split split = samples_.size() < 2 ? Split::kAlternate : sample % 2 == 0 ? Split::kFit : Split::kHeldOut;
  const std::size_t most_rows = std::max<std::size_t>(kRows / (samples_.size() * job.inputs.uses.size()), 2);
  for (const InputUse& use : job.inputs.uses) {
    const auto now = captured.now.find(use.activation), before = captured.before.find(use.activation);
    job.usable = job.usable && now != captured.now.end() &&
                 add_rows(use, now->second, split, most_rows, job.statistics,
                          before == captured.before.end() ? nullptr : &before->second);
  }
}

void WeightRounder::collect(const std::vector<Job*>& batch) const {
  std::vector<const InputUse*> uses;
  for (Job* job : batch) {
    job->statistics = quant::InputStatistics(job->inputs.view.groups, job->inputs.view.columns, prefix_.changed());
    for (const InputUse& use : job->inputs.uses) uses.push_back(&use);
  }
  const std::vector<std::string> names = activations_of(uses);
  const Activations now(prefix_.form(), names);
  const Activations before(form_, prefix_.changed() ? names : std::vector<std::string>{});
  const int threads = resolve_threads(threads_);
  std::size_t at_once = 1;  // the first sample tells how many fit
  for (std::size_t first = 0; first < samples_.size();) {
    check_cancelled();
    std::vector<Captured> captured(std::min(at_once, samples_.size() - first));
    parallel_for(captured.size(), threads, [&](std::size_t i, int) {
      captured[i] = {now.of(samples_[first + i]), before.of(samples_[first + i])};
    });
    parallel_for(batch.size(), threads, [&](std::size_t j, int) {
      for (std::size_t i = 0; i < captured.size(); ++i) add_sample(*batch[j], first + i, captured[i]);
    });
    first += captured.size();
    const std::int64_t bytes = std::max<std::int64_t>(bytes_of(captured[0].now) + bytes_of(captured[0].before), 1);
    at_once = static_cast<std::size_t>(std::clamp<std::int64_t>(kActivationBytes / bytes, 1, kMostAtOnce));
  }
}

void WeightRounder::round_batch(const std::vector<RoundingRequest>& requests, const std::vector<Job*>& batch,
                                quant::ScaleFit fit) {
  struct Item {
    const Job* job;
    const RoundingRequest* request;
  };
  std::vector<Item> items;
  for (const Job* job : batch) {
    if (!job->usable || !job->statistics.usable()) continue;
    for (const std::size_t request : job->requests) items.push_back({job, &requests[request]});
  }
  std::vector<quant::LayerRounding> results(items.size());
  parallel_for(items.size(), resolve_threads(threads_), [&](std::size_t i, int) {
    check_cancelled();
    const auto& [layer, candidate] = *items[i].request;
    const std::vector<float> weight = model_.weight(layer);
    const LayerInputs& inputs = inputs_.at(layer);
    results[i] = quant::choose_rounding(
        {weight, model_.layers()[layer], candidate, fit, inputs.view, !inputs.bias.empty()}, items[i].job->statistics);
  });
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& [layer, candidate] = *items[i].request;
    observer_.note("rounding of " + model_.layers()[layer].name + " as " + to_string(candidate) + ": " +
                   quant::to_string(results[i].method) + ", error " + std::to_string(results[i].ratio()) +
                   " of nearest's");
    const quant::LayerRounding& rounding =
        rounded_.insert_or_assign({layer, to_string(candidate)}, std::move(results[i])).first->second;
    if (!sequential_) continue;
    prefix_.set(form_.weight_names[layer], quant::dequantize(rounding.numbers));
    const auto [bias, numbers] = corrected_bias(layer, candidate);
    if (!bias.empty()) prefix_.set(bias, numbers);
  }
}

void WeightRounder::round(const std::vector<RoundingRequest>& requests, quant::ScaleFit fit) {
  if (requests == done_ && fit == done_fit_) return;
  rounded_.clear();
  inputs_.clear();
  std::vector<Job> jobs = jobs_for(requests);
  if (sequential_) start_prefix(requests, fit);
  std::size_t done = 0;
  while (done < jobs.size()) {
    observer_.progress("round", static_cast<double>(done), static_cast<double>(jobs.size()),
                       model_.layers()[jobs[done].inputs.layer].name);
    std::vector<Job*> batch;
    std::int64_t bytes = 0;
    for (; done < jobs.size(); ++done) {
      bytes += statistics_bytes(jobs[done].inputs.view);
      if (!batch.empty() && (bytes > kStatisticsBytes || sequential_)) break;
      batch.push_back(&jobs[done]);
    }
    collect(batch);
    round_batch(requests, batch, fit);
    for (Job* job : batch) job->statistics = {};
  }
  done_ = requests;
  done_fit_ = fit;
  if (!jobs.empty()) {
    observer_.progress("round", static_cast<double>(jobs.size()), static_cast<double>(jobs.size()), "");
  }
}

const quant::LayerRounding* WeightRounder::find(std::size_t layer, const Candidate& candidate) const {
  const auto found = rounded_.find({layer, to_string(candidate)});
  return found == rounded_.end() ? nullptr : &found->second;
}

std::pair<std::string, std::vector<float>> WeightRounder::corrected_bias(std::size_t layer,
                                                                         const Candidate& candidate) const {
  const quant::LayerRounding* rounding = find(layer, candidate);
  if (rounding == nullptr || rounding->mean_error.empty()) return {};
  const std::string& name = inputs_.at(layer).bias;
  std::vector<float> values = bias_values(form_, name);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] -= rounding->mean_error[i];
  return {name, std::move(values)};
}

}  // namespace mpq::calibrate
