#pragma once

#include <cstdint>
#include <vector>

#include "mpq/verify.h"

#include "support/damage.h"

namespace mpq::judge {

/// How one output of one sample changed.
struct Figures {
  double energy = 0;         ///< |y|^2
  double squared_error = 0;  ///< |y - y'|^2
  double cosine = 0;
  double max_abs = 0;
  double kl_sum = 0;          ///< over rows, nats
  std::int64_t rows = 0;      ///< of a distribution, or labels
  std::int64_t same_top = 0;  ///< rows with the same most likely class
  bool lost = false;          ///< the extents changed: nothing can be compared element by element
};

/// Rows run along the last axis; every element of sigmoid outputs and of labels is a row of its own.
Figures compare(OutputKind kind, const Tensor& reference, const Tensor& quantized);

/// Sums in the order of the samples. Figures that are not finite become kDestroyed: a broken model is reported, not
/// feared.
OutputComparison summarize(const std::string& name, OutputKind kind, const std::vector<Figures>& samples);

/// The class an output names, when it names exactly one: one row of scores (the largest), one sigmoid (1 above 0.5)
/// or one label; else -1.
std::int64_t predicted_class(OutputKind kind, const Tensor& output);
/// How many classes such an output can name; 0 where that is not known.
std::int64_t class_count(OutputKind kind, const Tensor& output);

}  // namespace mpq::judge
