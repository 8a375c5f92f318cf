#include "verify/accuracy.h"

#include "mpq/error.h"

#include "support/statistics.h"

namespace mpq::judge {

AccuracyComparison compare_accuracy(const std::vector<Prediction>& predictions, const std::vector<std::int64_t>& labels,
                                    const std::string& output) {
  std::int64_t right_before = 0, right_after = 0, only_before = 0, only_after = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const Prediction& prediction = predictions[i];
    if (prediction.reference < 0) {
      throw Error(ErrorCode::kInvalidInput,
                  "Sample " + std::to_string(i) + " makes more than one row in the output \"" + output +
                      "\", so one label cannot say what is right.",
                  "--labels", "Give one sample per label.");
    }
    if (labels[i] < 0 || (prediction.classes > 0 && labels[i] >= prediction.classes)) {
      throw Error(ErrorCode::kInvalidInput,
                  "The label " + std::to_string(labels[i]) + " of sample " + std::to_string(i) + " is none of the " +
                      std::to_string(prediction.classes) + " classes (from 0) of the output \"" + output + "\".",
                  "--labels");
    }
    const bool before = prediction.reference == labels[i], after = prediction.quantized == labels[i];
    right_before += before ? 1 : 0;
    right_after += after ? 1 : 0;
    only_before += before && !after ? 1 : 0;
    only_after += after && !before ? 1 : 0;
  }
  const auto samples = static_cast<double>(labels.size());
  AccuracyComparison result;
  result.samples = static_cast<std::int64_t>(labels.size());
  result.reference = static_cast<double>(right_before) / samples;
  result.quantized = static_cast<double>(right_after) / samples;
  result.mcnemar_p = mcnemar_exact(only_before, only_after);
  return result;
}

}  // namespace mpq::judge
