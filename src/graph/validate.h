#pragma once

#include <string>

#include "graph/model_impl.h"

namespace mpq::graph {

/// The range of the default operator set, and of IR versions, that mpq reads.
inline constexpr std::int64_t kOldestOpset = 7, kNewestOpset = 26;
inline constexpr std::int64_t kOldestIr = 3, kNewestIr = 13;

/// Checks everything ONNX Runtime lets pass silently and everything that would make it fail later with a riddle.
/// Sets `opset` and `findings`; nodes are sorted, and of repeated initializers and imports the one that runtimes use
/// is kept. Tensors must be inline or in the store. Throws Error{kInvalidInput} and Error{kUnsupported}.
void validate(Model::Impl& impl, const std::string& where);

/// Sets `producer`, `inputs` and `outputs`. Throws Error{kUnsupported} for inputs that are no tensors mpq can feed;
/// outputs of such types are left out, with a finding.
void describe_interface(Model::Impl& impl, const std::string& where);

}  // namespace mpq::graph
