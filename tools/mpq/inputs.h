#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mpq/mpq.h"

#include "console.h"
#include "options.h"

namespace mpq::cli {

/// Loads the model, says so first, and passes on what the loader noticed as warnings.
Model load_model(const std::string& path, Console& console);
/// The model that is to be quantized: its first quantization taken out with --requantize.
Model load_original(const Settings& settings, Console& console);

/// Opens samples with the options of the command line; nothing when `path` is empty.
std::optional<Samples> open_samples(const std::string& path, const Model& model, const Settings& settings,
                                    Console& console);

/// The true labels of the samples that --samples leaves; none without --labels. Without --samples as many as the file
/// holds, which the comparison then checks.
std::vector<std::int64_t> open_labels(const Settings& settings);

/// The samples, or as many synthetic ones as --samples says (16) when there are none.
Samples or_synthetic(const std::optional<Samples>& given, const Model& model, const Settings& settings);

/// The sensitivities of a *.sensitivity.json or run record, the plan of a *.plan.json or run record.
/// Throw Error{kInvalidInput} when the record holds none.
Sensitivity read_scores(const std::string& path);
Plan read_plan(const std::string& path);

}  // namespace mpq::cli
