#pragma once

#include <string>
#include <vector>

#include "mpq/samples.h"

namespace mpq::data {

/// What the samples are, with the SHA-256 of every tensor's name, type, shape and bytes, sample after sample, by name.
DataFacts facts_of(const std::vector<Feed>& feeds, const std::string& source, bool synthetic);

}  // namespace mpq::data
