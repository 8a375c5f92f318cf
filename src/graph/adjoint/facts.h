#pragma once

#include <string>
#include <unordered_set>

#include "graph/adjoint/builder.h"
#include "graph/tensor_store.h"

namespace mpq::graph::adjoint {

/// Values with more elements than this are never needed as numbers by a rule.
inline constexpr std::int64_t kMostNumbers = 4096;

/// Values of the main graph whose content depends on nothing but constants and the shapes of the inputs. What was
/// observed of them on one sample holds for every sample of the same shapes.
std::unordered_set<std::string> fixed_values(const onnx::ModelProto& model);

/// Facts of a value that was observed; its numbers are kept when they are `fixed`.
ValueFacts observed(const Tensor& value, bool fixed);

/// Facts of every initializer of the main graph.
void add_initializer_facts(const onnx::ModelProto& model, const TensorStore& store, FactsMap& facts);

}  // namespace mpq::graph::adjoint
