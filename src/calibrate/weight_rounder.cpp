#include "calibrate/weight_rounder.h"

#include <algorithm>
#include <set>

#include "mpq/error.h"

#include "calibrate/advancing_pass.h"
#include "calibrate/bias.h"
#include "calibrate/input_rows.h"
#include "graph/run_index.h"
#include "graph/scopes.h"
#include "quantize/quantize_weight.h"
#include "runtime/activations.h"
#include "runtime/taken_branches.h"
#include "support/parallel.h"

namespace mpq::calibrate {

namespace {

constexpr std::int64_t kStatisticsBytes = std::int64_t{1} << 30;    // of the Grams held at a time
constexpr std::int64_t kActivationBytes = std::int64_t{512} << 20;  // of the captured activations held at a time
constexpr std::int64_t kPassBytes = std::int64_t{384} << 20;        // of the values one advancing pass keeps
constexpr std::int64_t kMostAtOnce = 64;                            // samples
constexpr std::size_t kMostColumns = 8192;  // Grams of so many inputs fill kStatisticsBytes twice over

/// Rows to look at per layer: far more than inputs, few enough to be quick.
std::size_t rows_for(std::size_t columns) {
  constexpr std::size_t kPerColumn = 32, kFewest = 16384, kMost = 65536;
  return std::clamp(kPerColumn * columns, kFewest, kMost);
}

/// What choosing a method for one layer takes: its statistics, a Gram and a factor for every damping that is tried, and
/// the weights under every one of them. Measured (docs/large-models.md).
std::int64_t contest_bytes(const quant::MatrixView& view) {
  constexpr std::int64_t kPerPair = 100, kPerWeight = 24;
  return kPerPair * static_cast<std::int64_t>(view.groups * view.columns * view.columns) +
         kPerWeight * static_cast<std::int64_t>(view.size());
}

bool is_held_out(std::size_t sample) { return sample % 2 == 1; }

/// What made-up samples say of real ones. Tokens drawn at random have none of the co-occurrences of language, so
/// samples of integers alone say nothing.
double trust_in(const Samples& samples) {
  constexpr double kTrust = .1;
  const std::set<DType> reals = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16};
  const Feed& feed = samples[0];
  const bool real =
      std::any_of(feed.begin(), feed.end(), [&](const auto& in) { return reals.count(in.second.type()); });
  return real ? kTrust : 0;
}

}  // namespace

Samples held_out_of(const Samples& samples) {
  std::vector<Feed> feeds;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (is_held_out(i)) feeds.push_back(samples[i]);
  }
  return {std::move(feeds), samples.facts()};
}

std::int64_t WeightRounder::statistics_bytes(const quant::MatrixView& view) {
  constexpr std::int64_t kGrams = 4 * sizeof(double);  // two halves, each with its cross products
  return kGrams * static_cast<std::int64_t>(view.groups * view.columns * view.columns);
}

std::vector<std::string> WeightRounder::activations_of(const std::vector<const InputUse*>& uses) {
  std::set<std::string> names;
  for (const InputUse* use : uses) names.insert(use->activation);
  return {names.begin(), names.end()};
}

WeightRounder::WeightRounder(const Model& model, const Samples& samples, int threads, Observer& observer,
                             const graph::MemoryPlan& memory)
    : model_(model),
      samples_(samples),
      threads_(threads),
      observer_(observer),
      memory_(memory),
      whole_(graph::run_form(model)),
      form_(runtime::taken_branches(whole_, samples)) {}

void WeightRounder::check_cancelled() const {
  if (observer_.cancelled()) throw Error(ErrorCode::kInterrupted, "Interrupted while the weights were rounded.");
}

std::optional<LayerInputs> WeightRounder::find_inputs(std::size_t layer) const {
  std::optional<LayerInputs> inputs = layer_inputs(model_, form_, layer);
  if (!inputs || inputs->view.columns > kMostColumns || inputs->view.size() == 0) return std::nullopt;
  if (memory_.pieces && contest_bytes(inputs->view) > memory_.working_bytes) {
    observer_.note(model_.layers()[layer].name + ": rounded to nearest; the statistics of its " +
                   std::to_string(inputs->view.columns) + " inputs do not fit into the memory limit");
    return std::nullopt;
  }
  // A bias that stands inside a branch, or that a branch reads too, is left alone.
  const int bias = whole_.index->find(inputs->bias);
  const auto writable = [&] {
    const std::vector<int>& readers = whole_.index->value(bias).readers;
    return readers.size() == 1 && !graph::has_body(whole_.model.graph().node(readers[0]));
  };
  if (bias < 0 || !writable()) inputs->bias.clear();
  return inputs;
}

std::vector<WeightRounder::Job> WeightRounder::jobs_for(const std::vector<RoundingRequest>& requests) {
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const std::optional<LayerInputs> inputs = find_inputs(requests[i].layer);
    if (!inputs) continue;
    inputs_.insert_or_assign(requests[i].layer, *inputs);
    const auto same = std::find_if(jobs.begin(), jobs.end(), [&](const Job& job) {
      return job.inputs.uses == inputs->uses && job.inputs.view.groups == inputs->view.groups &&
             job.inputs.view.columns == inputs->view.columns;
    });
    Job& job = same != jobs.end() ? *same : jobs.emplace_back(Job{*inputs, {}, {}, {}, true});
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
QuantizedPrefix WeightRounder::start_prefix(const std::vector<RoundingRequest>& requests, quant::ScaleFit fit) const {
  QuantizedPrefix prefix(form_);
  for (const auto& [layer, candidate] : requests) {
    if (inputs_.count(layer) > 0) continue;
    check_cancelled();
    const quant::QuantizedTensor grid =
        quant::quantize_weight(model_.weight(layer), model_.layers()[layer], candidate, fit, threads_);
    prefix.set(form_.weight_names[layer], quant::dequantize(grid));
  }
  return prefix;
}

void WeightRounder::add_sample(Job& job, std::size_t sample, const Feed& now, const Feed* before,
                               quant::RowCollector& rows) const {
  const Split split = samples_.size() < 2 ? Split::kAlternate : is_held_out(sample) ? Split::kHeldOut : Split::kFit;
  const std::size_t most_rows =
      std::max<std::size_t>(rows_for(rows.columns()) / (samples_.size() * job.inputs.uses.size()), 2);
  for (const InputUse& use : job.inputs.uses) {
    const auto arrives = now.find(use.activation);
    const Tensor* original = nullptr;
    if (before != nullptr && before->count(use.activation) > 0) original = &before->at(use.activation);
    job.usable = job.usable && arrives != now.end() && add_rows(use, arrives->second, split, most_rows, rows, original);
  }
}

void WeightRounder::for_each_sample(const std::function<std::vector<Feed>(std::size_t)>& capture,
                                    const std::function<void(std::size_t, const std::vector<Feed>&)>& add) const {
  std::size_t at_once = 1;  // the first sample tells how many fit
  for (std::size_t first = 0; first < samples_.size();) {
    check_cancelled();
    std::vector<std::vector<Feed>> captured(std::min(at_once, samples_.size() - first));
    parallel_for(captured.size(), resolve_threads(threads_),
                 [&](std::size_t i, int) { captured[i] = capture(first + i); });
    for (std::size_t i = 0; i < captured.size(); ++i) add(first + i, captured[i]);
    first += captured.size();
    std::int64_t bytes = 1;
    for (const Feed& feed : captured[0]) bytes += runtime::bytes_of(feed);
    const std::int64_t most = memory_.pieces ? memory_.crossing_bytes / 4 : kActivationBytes;
    at_once = static_cast<std::size_t>(std::clamp<std::int64_t>(most / bytes, 1, kMostAtOnce));
  }
}

/// Statistics of the float network; `capture` gives the inputs of the batch's layers.
void WeightRounder::collect(const Jobs& batch, const Capture& capture) const {
  std::vector<quant::RowCollector> rows;
  for (Job* job : batch) {
    job->statistics = quant::InputStatistics(job->inputs.view.groups, job->inputs.view.columns);
    rows.emplace_back(job->statistics);
  }
  for_each_sample([&](std::size_t sample) { return std::vector<Feed>{capture(sample)}; },
                  [&](std::size_t sample, const std::vector<Feed>& captured) {
                    parallel_for(batch.size(), resolve_threads(threads_), [&](std::size_t j, int) {
                      add_sample(*batch[j], sample, captured[0], nullptr, rows[j]);
                    });
                  });
  parallel_for(rows.size(), resolve_threads(threads_), [&](std::size_t j, int) { rows[j].flush(); });
}

struct WeightRounder::Prefix {
  QuantizedPrefix network;
  AdvancingPass pass;
};

/// Statistics of a layer behind two networks whose earlier layers are rounded, and how far its inputs moved.
void WeightRounder::collect(Job& job, Prefix& before, Prefix& trial, Prefix& final) const {
  std::vector<const InputUse*> uses;
  for (const InputUse& use : job.inputs.uses) uses.push_back(&use);
  const std::vector<std::string> names = activations_of(uses);
  for (Prefix* prefix : {&before, &trial, &final}) prefix->pass.advance_to(prefix->network.form(), names);
  std::vector<quant::RowCollector> rows;
  const int threads = resolve_threads(threads_);
  for (quant::InputStatistics* statistics : {&job.statistics, &job.final_statistics}) {
    *statistics = quant::InputStatistics(job.inputs.view.groups, job.inputs.view.columns, trial.network.changed());
    rows.emplace_back(*statistics, std::max(threads / 2, 1));
  }
  for_each_sample(
      [&](std::size_t sample) {
        return std::vector<Feed>{before.pass.of(sample), trial.pass.of(sample), final.pass.of(sample)};
      },
      [&](std::size_t sample, const std::vector<Feed>& captured) {
        parallel_for(2, threads,
                     [&](std::size_t j, int) { add_sample(job, sample, captured[1 + j], &captured[0], rows[j]); });
      });
  parallel_for(2, threads, [&](std::size_t j, int) { rows[j].flush(); });
}

WeightRounder::Roundings WeightRounder::round_batch(const std::vector<RoundingRequest>& requests, const Jobs& batch,
                                                    quant::ScaleFit fit, const RoundedNetwork* methods,
                                                    const Round& round) const {
  struct Item {
    const Job* job;
    const RoundingRequest* request;
    const quant::LayerRounding* chosen;
  };
  std::vector<Item> items;
  for (const Job* job : batch) {
    if (!job->usable || !job->statistics.usable()) continue;
    for (const std::size_t i : job->requests) {
      const auto& [layer, candidate] = requests[i];
      const quant::LayerRounding* chosen = methods == nullptr ? nullptr : methods->find(layer, candidate);
      if (methods == nullptr || chosen != nullptr) items.push_back({job, &requests[i], chosen});
    }
  }
  Roundings results(items.size());
  int workers = resolve_threads(threads_);
  for (const Item& item : items) {
    if (!memory_.pieces) break;
    const std::int64_t fitting = memory_.working_bytes / contest_bytes(item.job->inputs.view);
    workers = static_cast<int>(std::clamp<std::int64_t>(fitting, 1, workers));
  }
  parallel_for(items.size(), workers, [&](std::size_t i, int) {
    check_cancelled();
    const auto& [layer, candidate] = *items[i].request;
    const std::vector<float> weight = model_.weight(layer);
    const LayerInputs& inputs = inputs_.at(layer);
    const quant::RoundingTask task{weight,      model_.layers()[layer], candidate, fit,
                                   inputs.view, !inputs.bias.empty(),   true};
    const Job& job = *items[i].job;
    const bool final = items[i].chosen != nullptr && !job.final_statistics.fit.empty();
    const quant::InputStatistics& statistics = final ? job.final_statistics : job.statistics;
    results[i] = {*items[i].request, items[i].chosen == nullptr
                                         ? round(task, statistics)
                                         : quant::round_layer(task, statistics, items[i].chosen->method)};
  });
  return results;
}

void WeightRounder::keep(Roundings roundings, RoundedNetwork& network, Prefix* prefix) const {
  for (auto& [request, rounding] : roundings) {
    const quant::LayerRounding& kept = network.add(request.layer, request.candidate, std::move(rounding));
    if (prefix == nullptr) continue;
    const auto set = [&](const std::string& name, const std::vector<float>& numbers) {
      prefix->network.set(name, numbers);
      prefix->pass.forget_behind(form_, name);
    };
    set(form_.weight_names[request.layer], quant::dequantize(kept.numbers));
    const auto [bias, numbers] = corrected_bias(request.layer, kept);
    if (!bias.empty()) set(bias, numbers);
  }
}

void WeightRounder::tell(const Roundings& roundings) const {
  for (const auto& [request, rounding] : roundings) {
    observer_.note("rounding of " + model_.layers()[request.layer].name + " as " + to_string(request.candidate) + ": " +
                   quant::to_string(rounding.method) + ", error " + std::to_string(rounding.ratio()) + " of nearest's");
  }
}

void WeightRounder::progress(const std::vector<Job>& jobs, std::size_t done) const {
  observer_.progress("round", static_cast<double>(done), static_cast<double>(jobs.size()),
                     done < jobs.size() ? model_.layers()[jobs[done].inputs.layer].name : "");
}

/// Rounds layers whose statistics are there, and gives these up.
void WeightRounder::round_jobs(const std::vector<RoundingRequest>& requests, const Jobs& batch, quant::ScaleFit fit,
                               bool data_free, Networks& networks) const {
  if (data_free) {
    const auto round = [trust = trust_in(samples_)](const quant::RoundingTask& task,
                                                    const quant::InputStatistics& statistics) {
      return quant::round_data_free(task, statistics, trust);
    };
    keep(round_batch(requests, batch, fit, nullptr, round), networks.final, nullptr);
  } else {
    Roundings chosen =
        round_batch(requests, batch, fit, nullptr, memory_.pieces ? quant::choose_method : quant::choose_rounding);
    tell(chosen);
    keep(std::move(chosen), networks.trial, nullptr);
    keep(round_batch(requests, batch, fit, &networks.trial), networks.final, nullptr);
  }
  for (Job* job : batch) job->statistics = {};
}

std::int64_t WeightRounder::statistics_limit() const {
  return memory_.pieces ? memory_.working_bytes / 4 : kStatisticsBytes;
}

WeightRounder::Networks WeightRounder::round_apart(const std::vector<RoundingRequest>& requests, std::vector<Job>& jobs,
                                                   quant::ScaleFit fit, bool data_free) const {
  Networks networks;
  for (std::size_t done = 0; done < jobs.size();) {
    progress(jobs, done);
    Jobs batch;
    std::vector<const InputUse*> uses;
    std::int64_t bytes = 0;
    for (; done < jobs.size(); ++done) {
      bytes += statistics_bytes(jobs[done].inputs.view);
      if (!batch.empty() && bytes > statistics_limit()) break;
      batch.push_back(&jobs[done]);
      for (const InputUse& use : jobs[done].inputs.uses) uses.push_back(&use);
    }
    const runtime::Activations activations(form_, activations_of(uses));
    collect(batch, [&](std::size_t sample) { return activations.of(samples_[sample]); });
    round_jobs(requests, batch, fit, data_free, networks);
  }
  return networks;
}

WeightRounder::Networks WeightRounder::round_in_sequence(const std::vector<RoundingRequest>& requests,
                                                         std::vector<Job>& jobs, quant::ScaleFit fit) const {
  std::vector<const InputUse*> uses;
  for (const Job& job : jobs) {
    for (const InputUse& use : job.inputs.uses) uses.push_back(&use);
  }
  const std::vector<std::string> stops = activations_of(uses);
  const auto pass = [&] { return AdvancingPass(form_, samples_, stops, kPassBytes); };
  Prefix before{QuantizedPrefix(form_), pass()};
  Prefix trial{start_prefix(requests, fit), pass()};
  Prefix final{trial.network, pass()};
  Networks networks;
  for (std::size_t done = 0; done < jobs.size(); ++done) {
    progress(jobs, done);
    Job& job = jobs[done];
    collect(job, before, trial, final);
    Roundings chosen = round_batch(requests, {&job}, fit, nullptr);
    tell(chosen);
    keep(std::move(chosen), networks.trial, &trial);
    keep(round_batch(requests, {&job}, fit, &networks.trial), networks.final, &final);
    job.statistics = job.final_statistics = {};
  }
  return networks;
}

WeightRounder::Networks WeightRounder::round(const std::vector<RoundingRequest>& requests, RoundingStyle style,
                                             quant::ScaleFit fit) {
  inputs_.clear();
  std::vector<Job> jobs = jobs_for(requests);
  const bool data_free = style == RoundingStyle::kDataFree;
  Networks networks = memory_.pieces                        ? round_by_pieces(requests, jobs, fit, data_free)
                      : style == RoundingStyle::kSequential ? round_in_sequence(requests, jobs, fit)
                                                            : round_apart(requests, jobs, fit, data_free);
  if (!jobs.empty()) progress(jobs, jobs.size());
  return networks;
}

std::pair<std::string, std::vector<float>> WeightRounder::corrected_bias(std::size_t layer,
                                                                         const quant::LayerRounding& rounding) const {
  if (rounding.mean_error.empty()) return {};
  const std::string& name = inputs_.at(layer).bias;
  std::vector<float> values = bias_values(form_, name);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] -= rounding.mean_error[i];
  return {name, std::move(values)};
}

}  // namespace mpq::calibrate
