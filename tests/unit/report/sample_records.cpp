#include "sample_records.h"

namespace mpq::report_test {
namespace {

LayerSensitivity layer(const std::string& name, const std::string& op, std::vector<std::int64_t> shape,
                       std::int64_t parameters, double score) {
  LayerSensitivity result;
  result.layer.name = name;
  result.layer.op = op;
  result.layer.weight = name + ".weight";
  result.layer.dtype = "float32";
  result.layer.shape = std::move(shape);
  result.layer.parameters = parameters;
  result.layer.channel_axes = {0};
  result.score = score;
  result.standard_error = score / 20;
  const auto add = [&](int bits, const std::string& form, double damage) {
    const std::int64_t bytes = parameters * bits / 8;
    result.candidates.push_back({{bits, form, 0}, bytes, bytes + 100, "", damage, damage / 20, 8});
  };
  add(4, "grid", score);
  add(8, "grid", score / 250);
  add(32, "float", 0);
  return result;
}

Layer skipped(const std::string& name, const std::string& reason) {
  Layer result;
  result.name = name;
  result.op = "LSTM";
  result.weight = name + ".W";
  result.dtype = "float32";
  result.shape = {1, 16};
  result.parameters = 16;
  result.skip_reason = reason;
  return result;
}

PlanEntry entry(const LayerSensitivity& from, std::size_t candidate, const std::string& reason) {
  const CandidateScore& score = from.candidates[candidate];
  return {from.layer.name,  score.candidate, from.layer.parameters, score.stored_bytes,
          score.file_bytes, score.damage,    score.standard_error,  reason};
}

ModelFacts model_facts() { return {"net.onnx", std::string(64, 'a'), 50'000}; }

}  // namespace

Sensitivity sample_sensitivity() {
  Sensitivity scores;
  scores.model = model_facts();
  scores.data = {"inputs.npz", std::string(64, 'b'), 64, false};
  scores.settings.metric = "kl";
  scores.settings.bits = {4, 8, 32};
  scores.outputs = {"logits"};
  scores.layers = {layer("conv1", "Conv", {8, 1, 3, 3}, 72, 2e-4), layer("conv2", "Conv", {16, 8, 3, 3}, 1152, 5e-2),
                   layer("fc", "Gemm", {10, 1024}, 10'240, 1e-3)};
  scores.skipped = {skipped("rnn", "LSTM weights cannot be quantized yet."),
                    skipped("rnn2", "LSTM weights cannot be quantized yet.")};
  scores.size = {3000, 500, {}, 11'464};
  scores.trial_runs = 720;
  scores.rank_stability = 0.98;
  scores.settled = true;
  return scores;
}

Plan sample_plan() {
  const Sensitivity scores = sample_sensitivity();
  Plan plan;
  plan.model = model_facts();
  plan.budget = "6bit";
  plan.limit_bytes = 8598;
  plan.parameters = 11'464;
  plan.entries = {entry(scores.layers[0], 0, "allocated"), entry(scores.layers[1], 1, "allocated"),
                  entry(scores.layers[2], 0, "--layer 'fc=4bit'")};
  for (const PlanEntry& e : plan.entries) {
    plan.stored_bytes += e.stored_bytes;
    plan.predicted_damage += e.damage;
  }
  plan.file_bytes = 9900;
  plan.bits_per_weight = 8.0 * static_cast<double>(plan.stored_bytes) / static_cast<double>(plan.parameters);
  plan.standard_error = 5e-5;
  plan.lower_bound = 1.3e-3;
  plan.optimality_gap = (plan.predicted_damage - plan.lower_bound) / plan.predicted_damage;
  return plan;
}

RunRecord sample_run() {
  RunRecord run;
  run.command = "quantize";
  run.mpq_version = "0.1.0";
  run.model = model_facts();
  run.output = ModelFacts{"net.mpq-6bit.onnx", std::string(64, 'c'), 9900};
  run.sensitivity = sample_sensitivity();
  run.cost = AnalysisCost{12.5, 0.002, 163.4, 6912, 720};
  run.plan = sample_plan();
  run.run_forms = {{"conv1", "folded to float"}, {"conv2", "folded to float"}, {"fc", "int4 kernel"}};
  Verification v;
  v.data = {"test.npz", std::string(64, 'd'), 200, false};
  v.metric = "kl";
  v.damage = 1.8e-3;
  v.damage_standard_error = 1e-4;
  OutputComparison logits;
  logits.name = "logits";
  logits.kind = "logits";
  logits.relative_mse = 1e-3;
  logits.sqnr_db = 30;
  logits.cosine = 0.9995;
  logits.max_abs = 0.25;
  logits.kl = 1.8e-3;
  logits.top1_agreement = 0.99;
  logits.top1_low = 0.964;
  logits.top1_high = 0.997;
  logits.rows = 200;
  v.outputs = {logits};
  v.accuracy = AccuracyComparison{0.985, 0.98, 200, 1.0};
  run.verification = v;
  run.timings_seconds = {{"analyze", 12.5}, {"quantize", 0.4}, {"verify", 0.2}};
  run.peak_memory_bytes = 120'000'000;
  run.environment = {{"mpq", "0.1.0"}};
  run.options = {{"budget", "6bit"}};
  return run;
}

}  // namespace mpq::report_test
