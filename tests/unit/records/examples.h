#pragma once

#include "mpq/run_record.h"

namespace mpq {

// Records in which every field has a value of its own, so that a swapped or forgotten one shows.

inline Layer example_layer(const std::string& name) {
  Layer layer;
  layer.name = name;
  layer.op = "MatMul";
  layer.weight = name + ".weight";
  layer.graph = "If_0/then_branch";
  layer.dtype = "float32";
  layer.shape = {64, 32};
  layer.parameters = 2048;
  layer.channel_axes = {1};
  layer.block_axis = 0;
  layer.uses = {{name + "/node", "MatMul", 1, ""}, {"other \"quoted\" \\ node", "Gemm", 2, "Loop_1/body"}};
  return layer;
}

inline CandidateScore example_score(Candidate candidate, std::int64_t bytes, double damage) {
  const std::string function = candidate.form == "grid" ? "Unpack" + std::to_string(candidate.bits) + "bit" : "";
  return {std::move(candidate), bytes, bytes + 17, function, damage, damage / 10, 12};
}

/// Of the 32 rows of example_layer.
inline std::vector<std::uint8_t> example_widths() {
  std::vector<std::uint8_t> widths(32, 3);
  widths[1] = widths[30] = 7;
  return widths;
}

inline Sensitivity example_sensitivity() {
  Sensitivity value;
  value.model = {"folder/model.onnx", "aa11", 123456};
  value.data = {"calibration.npz", "bb22", 20, false};
  value.settings = {"rounding", "quantization",          "network",      "kl",  "quantile", 0.75, 3,
                    64,         18446744073709551615ull, {2, 4, 16, 32}, false, "minmax",   true, 3};
  value.outputs = {"logits", "état caché"};
  value.measured_as = {{"logits", 1}, {"tensor", 2.5}};
  for (const std::string name : {"/encoder/MatMul", "/head/Gemm"}) {
    LayerSensitivity layer;
    layer.layer = example_layer(name);
    layer.score = 0.1;
    layer.standard_error = 1.0 / 3;
    layer.candidates = {example_score({2, "grid", 0}, 576, 0.3), example_score({4, "grid", 32}, 1152, 1e-9),
                        example_score({16, "half", 0}, 4096, 5e-324), example_score({32, "float", 0}, 8192, 0)};
    value.layers.push_back(layer);
  }
  value.layers[1].candidates.insert(value.layers[1].candidates.begin() + 1,
                                    example_score(row_candidate(example_widths()), 1100, 0.01));
  value.skipped = {example_layer("/lstm/LSTM")};
  value.skipped[0].skip_reason = "Weights of LSTM are not quantized yet.";
  value.skipped[0].block_axis = -1;
  value.skipped[0].dtype = "float16";
  value.size = {9000, 800, {{"Unpack2bit", 300}, {"Unpack4bit", 280}}, 4096};
  value.trial_runs = 321;
  value.rank_stability = 0.987654321;
  value.settled = true;
  return value;
}

inline Plan example_plan() {
  Plan plan;
  plan.model = {"folder/model.onnx", "aa11", 123456};
  plan.budget = "4.5bit";
  plan.counts_file = true;
  plan.limit_bytes = 30000;
  plan.stored_bytes = 2304;
  plan.file_bytes = 29999;
  plan.parameters = 4096;
  plan.bits_per_weight = 4.5;
  plan.predicted_damage = 0.3 + 1e-9;
  plan.standard_error = 0.02;
  plan.lower_bound = 0.29;
  plan.optimality_gap = 0.033;
  plan.uniform = true;
  plan.scale_fit = "minmax";
  plan.portable = true;
  plan.rounding = "second-order";
  plan.compute = "int8";
  plan.time = PlanTime{"cpu:0-1", "8ms", 0.008, 0.0075, 0.012, 0.006, 0.03};
  plan.entries = {{"/encoder/MatMul", {4, "grid", 32}, 2048, 1152, 1169, 1e-9, 1e-10, "allocated", -0.0025},
                  {"/head/Gemm", {2, "grid", 0}, 2048, 576, 593, 0.3, 0.03, "override --layer '/head/*=2bit'", 0},
                  {"/rows/Gemm", row_candidate(example_widths()), 2048, 1100, 1117, 0.01, 0.001, "allocated", 0}};
  return plan;
}

inline Verification example_verification() {
  Verification value;
  value.data = {"eval.npz", "cc33", 50, true};
  OutputComparison logits{"logits", "logits", 0.001, 30, 0.999, 0.25, 0.004, 0.98, 0.9, 0.995, 50};
  OutputComparison state{"état caché", "tensor", 0.002, 27, 0.998, 0.5, {}, {}, {}, {}, 0};
  value.outputs = {logits, state};
  value.accuracy = AccuracyComparison{0.9, 0.88, 50, 0.5};
  value.damage = 0.31;
  value.damage_standard_error = 0.05;
  value.metric = "kl";
  return value;
}

inline RunRecord example_run() {
  RunRecord record;
  record.command = "quantize";
  record.mpq_version = "1.2.3";
  record.model = {"folder/model.onnx", "aa11", 123456};
  record.output = ModelFacts{"folder/model.mpq-4.5bit.onnx", "dd44", 29999};
  record.sensitivity = example_sensitivity();
  record.cost = AnalysisCost{12.5, 0.01, 250.75, 410.5, 321};
  record.plan = example_plan();
  record.drop_search = DropSearch{"0.5%", {{31000, 0.004, true}, {29000, 0.0125, false}}};
  record.latency = LatencyCheck{"cpu:0-1", "8ms", 0.008, 0.0075, 0.0077, 0.0001, 0.013, 0.012, 0.06, 0.05, 0.03, 2};
  record.run_forms = {{"/encoder/MatMul", "int4 kernel"}, {"/head/Gemm", "folded to float (block of 32)"}};
  record.verification = example_verification();
  record.uniform_baseline = example_verification();
  record.uniform_baseline->damage = 0.7;
  record.uniform_baseline->accuracy.reset();
  record.timings_seconds = {{"analyze", 12.5}, {"quantize", 0.25}};
  record.peak_memory_bytes = 77777777;
  record.memory_limit_bytes = 88888888;
  record.environment = {{"mpq", "1.2.3"}, {"processor", "Some CPU"}};
  record.options = {{"budget", "4.5bit"}, {"layer", "a=4bit"}, {"layer", "b=8bit"}, {"seed", "1"}};
  record.warnings = {"Only 20 calibration samples."};
  return record;
}

}  // namespace mpq
