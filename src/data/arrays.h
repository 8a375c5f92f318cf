#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mpq/model.h"
#include "mpq/samples.h"

#include "data/npy.h"

namespace mpq::data {

/// Arrays by name, each with a leading sample axis.
using NamedArrays = std::map<std::string, NpyArray>;

/// Throws Error{kInvalidInput} unless every input of the model is among `found`.
void check_names(const std::vector<std::string>& found, const Model& model, const std::string& where);

/// One feed per sample, at most `limit` (0 = all). An array of the rank of the model's input keeps the sample axis as a
/// batch axis of 1; one of one rank more loses it. Arrays the model has no input for are ignored.
/// The names must have been checked. Throws Error{kInvalidInput} for unequal numbers of samples and tensors that do not
/// fit.
std::vector<Feed> feeds_of(const NamedArrays& arrays, const Model& model, std::int64_t limit, const std::string& where);

/// The arrays of an .npz archive that are named after the model's inputs. Throws Error{kInvalidInput}, also when one is
/// missing.
NamedArrays open_npz(const std::string& path, const Model& model);

}  // namespace mpq::data
