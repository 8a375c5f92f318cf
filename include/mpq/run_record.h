#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mpq/analyze.h"
#include "mpq/drop_limit.h"
#include "mpq/latency.h"
#include "mpq/plan.h"
#include "mpq/sensitivity.h"
#include "mpq/verify.h"

namespace mpq {

/// Everything one run did: the source of every report. Written by `--report-json`, read by `mpq report`.
struct RunRecord {
  static constexpr int kSchemaVersion = 1;
  std::string command;  ///< "quantize", "verify", ...
  std::string mpq_version;
  ModelFacts model;                  ///< the original
  std::optional<ModelFacts> output;  ///< the written file
  std::optional<Sensitivity> sensitivity;
  std::optional<AnalysisCost> cost;
  std::optional<Plan> plan;
  std::optional<DropSearch> drop_search;                       ///< with a limit of the loss: the sizes measured
  std::vector<std::pair<std::string, std::string>> run_forms;  ///< layer -> how it runs
  std::optional<LatencyCheck> latency;                         ///< of the written model, where measured
  std::optional<Verification> verification;
  std::optional<Verification> uniform_baseline;  ///< the same bytes spent on one width everywhere, where measured
  std::vector<std::pair<std::string, double>> timings_seconds;  ///< stage -> wall seconds
  std::int64_t peak_memory_bytes = 0;
  std::int64_t memory_limit_bytes = 0;  ///< within which the model ran piece by piece; 0 where it ran as a whole
  std::vector<std::pair<std::string, std::string>> environment;  ///< versions, processor, threads
  std::vector<std::pair<std::string, std::string>> options;      ///< as they were in force
  std::vector<std::string> warnings;
};

/// The document `--json` prints and `--report-json` writes: the keys of docs/cli.md.
std::string to_json(const RunRecord& value);
RunRecord run_record_from_json(const std::string& text, const std::string& where);

}  // namespace mpq
