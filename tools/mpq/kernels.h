#pragma once

#include <optional>
#include <string>

#include "mpq/mpq.h"

#include "console.h"
#include "json_writer.h"
#include "options.h"

namespace mpq::cli {

/// What `inspect --kernels` measured: the model and, where --float names one, the float model it was made from.
struct KernelComparison {
  KernelReport model;
  std::optional<KernelReport> before;
};

/// Runs both, on --data or on synthetic samples.
KernelComparison measure_kernels(const Model& model, const Settings& settings, Console& console);

/// One line per layer (operator, kernel, how the weight gets there, times), one per operator, and the whole.
std::string kernel_text(const KernelComparison& kernels, std::size_t width);
/// The object behind the key "kernels".
void write_kernels(JsonWriter& json, const KernelComparison& kernels);

}  // namespace mpq::cli
