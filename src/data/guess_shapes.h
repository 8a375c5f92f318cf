#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mpq/model.h"

#include "data/input_hints.h"

namespace mpq::data {

/// A full shape for every input.
using Shapes = std::map<std::string, std::vector<std::int64_t>>;

/// True where no input has a free extent.
bool all_fixed(const Model& model);

/// Shapes to try, best first: fixed extents as they are, what weights demand (see InputHints), 1 for a free leading
/// axis, and for the other free extents a few usual sizes, those first with which ONNX's shape inference finds the
/// whole graph consistent. Extents with one symbol are equal. Every one once; one entry when nothing is free.
std::vector<Shapes> guess_shapes(const Model& model, const std::map<std::string, InputHints>& hints);

}  // namespace mpq::data
