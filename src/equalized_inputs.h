#pragma once

#include <memory>

#include "plan_writing.h"

namespace mpq {

/// The model with inputs of its products equalized (quant::equalize), and what plans are written into it with.
class EqualizedInputs {
 public:
  /// For this plan; null where it has no products of many rows or none of their inputs loses less when equalized. Each
  /// is tried in the float network by itself.
  static std::unique_ptr<EqualizedInputs> make(const Writing& original, const Plan& plan);

  const Writing& writing() const { return writing_; }

 private:
  EqualizedInputs(Model model, const Writing& original);
  Model model_;
  PipelineOptions
      options_;  ///< the original's, and rounding in the style that won for its float plan, if it was written
  RoundedQuantizer quantizer_;
  IntegerPlanner integers_;
  Writing writing_;
};

/// The budget less what equalized inputs take of a file, which comes on top of the size table; where that leaves no
/// plan, nothing is set aside.
Budget with_room_for_equalization(const Writing& writing, const Sensitivity& scores, const Budget& budget);

}  // namespace mpq
