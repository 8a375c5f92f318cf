#pragma once

#include <string>

#include "quantize/rounding_target.h"

namespace mpq::quant {

/// One way to turn a layer's weights into integers.
struct RoundingMethod {
  bool second_order = false;   ///< GPTQ and coordinate descent; else to nearest
  double damping = 0;          ///< of the Gram, in units of its mean diagonal
  double correction = 0;       ///< regularisation of the correction for layers before this one; 0 = none
  bool corrects_bias = false;  ///< the mean error goes into the bias, and GPTQ sees the centred Gram
  bool fits_scales = false;    ///< every row takes the scales under which it errs least
  bool data_free = false;      ///< second order, by data_free_gram
  double trust = 0;            ///< of data_free_gram
  bool looks_at_inputs() const { return second_order || fits_scales; }
  bool operator==(const RoundingMethod&) const = default;
};
/// "nearest", "data-free", "second-order, damping 10 %, inputs corrected, bias corrected".
std::string to_string(const RoundingMethod& method);

}  // namespace mpq::quant
