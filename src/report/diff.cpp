#include "mpq/diff.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "report/as_run.h"
#include "support/statistics.h"

namespace mpq {
namespace {

/// What a record says of its layers.
struct LayerFacts {
  std::optional<Candidate> form;
  std::optional<std::int64_t> bytes;
  std::optional<Estimate> score;
};

struct Facts {
  std::vector<std::string> order;
  std::map<std::string, LayerFacts> layers;

  LayerFacts& at(const std::string& name) {
    const auto [place, is_new] = layers.try_emplace(name);
    if (is_new) order.push_back(name);
    return place->second;
  }
};

Facts facts_of(const RunRecord& run) {
  Facts facts;
  if (run.sensitivity) {
    for (const LayerSensitivity& layer : run.sensitivity->layers)
      facts.at(layer.layer.name).score = Estimate{layer.score, layer.standard_error};
  }
  if (run.plan) {
    for (const PlanEntry& entry : run.plan->entries) {
      LayerFacts& layer = facts.at(entry.layer);
      layer.form = entry.candidate;
      layer.bytes = entry.stored_bytes;
    }
  }
  return facts;
}

bool scores_differ(const LayerFacts& a, const LayerFacts& b) {
  return a.score && b.score && beyond_errors(*a.score, *b.score);
}

LayerChange change_of(const std::string& name, const LayerFacts* a, const LayerFacts* b, bool comparable) {
  LayerChange change;
  change.layer = name;
  if (a != nullptr) {
    change.before_form = a->form;
    change.before_bytes = a->bytes;
    change.before_score = a->score;
  }
  if (b != nullptr) {
    change.after_form = b->form;
    change.after_bytes = b->bytes;
    change.after_score = b->score;
  }
  if (a == nullptr || b == nullptr) {
    change.kind = a == nullptr ? LayerChange::Kind::kAdded : LayerChange::Kind::kGone;
  } else if (change.form_changed() || a->bytes != b->bytes || (comparable && scores_differ(*a, *b))) {
    change.kind = LayerChange::Kind::kChanged;
  }
  return change;
}

std::vector<LayerChange> layer_changes(const Facts& before, const Facts& after, bool comparable) {
  std::vector<LayerChange> changes;
  for (const std::string& name : before.order) {
    const auto found = after.layers.find(name);
    changes.push_back(
        change_of(name, &before.layers.at(name), found == after.layers.end() ? nullptr : &found->second, comparable));
  }
  for (const std::string& name : after.order) {
    if (before.layers.count(name) == 0) changes.push_back(change_of(name, nullptr, &after.layers.at(name), comparable));
  }
  return changes;
}

std::optional<double> rank_correlation(const std::vector<LayerChange>& layers) {
  constexpr std::size_t kFewest = 3;
  std::vector<double> before, after;
  for (const LayerChange& layer : layers) {
    if (!layer.before_score || !layer.after_score) continue;
    before.push_back(layer.before_score->value);
    after.push_back(layer.after_score->value);
  }
  return before.size() < kFewest ? std::nullopt : std::optional(spearman(before, after));
}

using Figure = std::optional<Estimate>;

Figure count(std::int64_t value) { return Estimate{static_cast<double>(value), 0}; }

Figure file_bytes(const RunRecord& run) {
  if (run.output) return count(run.output->bytes);
  return run.plan ? count(run.plan->file_bytes) : std::nullopt;
}

Figure bits(const RunRecord& run) { return run.plan ? Figure(Estimate{run.plan->bits_per_weight, 0}) : std::nullopt; }

Figure predicted(const RunRecord& run) {
  return run.plan ? Figure(Estimate{run.plan->predicted_damage, run.plan->standard_error}) : std::nullopt;
}

Figure measured(const RunRecord& run) {
  if (!run.verification) return std::nullopt;
  return Estimate{run.verification->damage, run.verification->damage_standard_error};
}

/// With the standard error of a proportion.
Figure accuracy(const RunRecord& run) {
  if (!run.verification || !run.verification->accuracy) return std::nullopt;
  const AccuracyComparison& a = *run.verification->accuracy;
  const auto n = static_cast<double>(std::max<std::int64_t>(a.samples, 1));
  return Estimate{a.quantized, std::sqrt(a.quantized * (1 - a.quantized) / n)};
}

bool found_alike(const RunRecord& a, const RunRecord& b) {
  if (!a.sensitivity || !b.sensitivity) return true;
  const AnalyzeSettings &x = a.sensitivity->settings, &y = b.sensitivity->settings;
  return x.metric == y.metric && x.noise == y.noise && x.place == y.place && x.aggregation == y.aggregation &&
         x.scale_fit == y.scale_fit;
}

}  // namespace

bool beyond_errors(const Estimate& a, const Estimate& b) {
  constexpr double kZ95 = 1.96;
  return std::abs(a.value - b.value) > kZ95 * std::hypot(a.standard_error, b.standard_error);
}

RecordDiff diff(const AnyRecord& before, const AnyRecord& after) {
  const RunRecord a = report::as_run(before), b = report::as_run(after);
  RecordDiff result;
  result.before = a.model;
  result.after = b.model;
  result.same_settings = found_alike(a, b);
  result.figures = {{"model bytes", count(a.model.bytes), count(b.model.bytes), false},
                    {"file bytes", file_bytes(a), file_bytes(b), false},
                    {"bits per weight", bits(a), bits(b), false},
                    {"predicted damage", predicted(a), predicted(b), true},
                    {"measured damage", measured(a), measured(b), true},
                    {"accuracy", accuracy(a), accuracy(b), true}};
  std::erase_if(result.figures, [](const FigureChange& figure) { return !figure.before && !figure.after; });
  result.layers = layer_changes(facts_of(a), facts_of(b), result.same_settings);
  result.rank_correlation = rank_correlation(result.layers);
  return result;
}

}  // namespace mpq
