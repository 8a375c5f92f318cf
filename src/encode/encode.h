#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mpq/plan.h"
#include "mpq/quantize.h"
#include "mpq/sensitivity.h"

#include "encode/static_form.h"
#include "quantize/grid.h"

namespace mpq::encode {

/// How a quantized layer may run.
enum class RunForm { kFloat, kInteger };

/// Exact file sizes, before anything is quantized: SizeFacts of the model and, per quantizable layer and candidate,
/// the bytes choosing it adds to the written file and the function it needs. A file has at most
/// base + fixed + functions in use + sum of file_bytes; exact_file_bytes knows the last few bytes.
struct SizeTable {
  SizeFacts facts;
  std::vector<std::vector<std::int64_t>> file_bytes;  ///< [quantizable layer][candidate]
  std::vector<std::vector<std::string>> functions;    ///< [quantizable layer][candidate], "" where none is needed
};
/// `portable`: Plan::portable.
SizeTable size_table(const Model& model, const std::vector<std::vector<Candidate>>& candidates, RunForm run_form,
                     bool portable = false);

/// Candidates of a layer that are measured, by rising bytes, ending with "float": plain grids of the widths asked for,
/// and with blocks where `forms` (AnalyzeOptions::forms) has them, the layer's shape allows and they have shown to pay.
std::vector<Candidate> candidates_for(const Layer& layer, const std::vector<int>& bits,
                                      const std::vector<std::string>& forms);

/// Constants of the main graph whose numbers change with the weights: biases that take up a mean rounding error.
using Constants = std::map<std::string, std::vector<float>>;

/// How layers run where that is not left to the run form.
struct Forms {
  RunForm run_form = RunForm::kFloat;
  std::shared_ptr<const StaticForm> integers;  ///< layers with integer activations; null for none
  std::map<std::size_t, std::string> folded;   ///< layers that must be folded to floats, and why
  bool to_disk = false;                        ///< what is packed goes to disk as it comes; see SpillFile
  std::set<std::size_t> dynamic = {};          ///< products whose inputs become integers as they come, where they can
};

/// Plan::scale_fit. Throws Error{kInvalidInput} for any other word than "mse" and "minmax".
quant::ScaleFit scale_fit_of(const Plan& plan);

/// Weights that were rounded before, with statistics of their inputs.
struct RoundedWeights {
  /// Nothing where a layer is to be rounded to nearest.
  std::function<std::optional<quant::QuantizedTensor>(std::size_t layer, const Candidate& candidate)> find;
  Constants constants;
};

/// mpq::quantize with weights that were rounded before; `rounding` is how, for the plan.
QuantizedModel quantize_rounded(const Model& model, const Plan& plan, const RoundedWeights& rounded,
                                const std::string& rounding, const Forms& forms, const QuantizeOptions& options,
                                Observer& observer);
/// The forms that QuantizeOptions::compute names.
Forms forms_of(const QuantizeOptions& options);

/// Writes the plan into the model. `quantized(layer index)` supplies the numbers of grid layers when asked, one layer
/// at a time. The result's bytes equal serialized_size of what it holds; Plan::file_bytes and stored_bytes are set from
/// it.
QuantizedModel encode(const Model& model, const Plan& plan, const Forms& forms,
                      const std::function<quant::QuantizedTensor(std::size_t)>& quantized,
                      const Constants& constants = {});

/// Bytes of the file encode() will write for this plan, without quantizing anything. Exact.
std::int64_t exact_file_bytes(const Model& model, const Plan& plan, RunForm run_form);

/// The plan an mpq-written model carries in its metadata ("" when it carries none).
std::string embedded_plan(const Model& model);

}  // namespace mpq::encode
