#pragma once

#include <string>
#include <vector>

#include "mpq/run_record.h"

#include "report/style.h"

namespace mpq::report {

/// "Label      text", wrapped, with the later lines under the text.
std::string field(const std::string& label, const std::string& text, const Style& style);

/// The first two lines of every report: command, model and version, and a rule.
std::string title(const std::string& command, const std::string& path, const std::string& version, const Style& style);

/// "model.onnx, 424.9 kB, sha256 3f2a91c0d1e2".
std::string describe(const ModelFacts& model);
/// "64 samples of calib.npz".
std::string describe(const DataFacts& data);
/// What a metric's number means, for a reader who did not choose it.
std::string metric_text(const std::string& metric);

/// Budget, achieved bytes and bits, optimality gap.
std::string plan_fields(const Plan& plan, const Style& style);
/// What a plan takes on its processor by the profile, and what was measured of the written model.
std::string time_text(const PlanTime& time);
std::string latency_text(const LatencyCheck& check);
/// The smallest model within a limit of the loss: what was measured on the way.
std::string drop_text(const DropSearch& search);
/// How the sensitivities were found: engine, noise, place, metric, trials or samples, seed.
std::string method_text(const Sensitivity& scores);
/// How sure the order of the layers is, and how well the engines that ran agree.
std::string ranking_text(const Sensitivity& scores);
/// Both, with what each output is taken for and the data.
std::string method_fields(const Sensitivity& scores, const Style& style);
/// What the analysis cost.
std::string cost_field(const AnalysisCost& cost, const Style& style);
/// Weights left alone, one line per reason; empty when there are none.
std::string skipped_section(const std::vector<Layer>& skipped, const Style& style);
/// The warning that belongs to synthetic samples.
std::string synthetic_warning(const Style& style);

}  // namespace mpq::report
