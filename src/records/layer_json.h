#pragma once

#include "mpq/layer.h"
#include "mpq/sensitivity.h"

#include "records/json_reader.h"

namespace mpq {

// The parts that several records share.

Json write_model_facts(const ModelFacts& facts);
ModelFacts read_model_facts(const JsonReader& reader);

Json write_data_facts(const DataFacts& facts);
DataFacts read_data_facts(const JsonReader& reader);

Json write_layer(const Layer& layer);
Layer read_layer(const JsonReader& reader);

/// Writes bits, form and block into `object`.
void put_candidate(Json& object, const Candidate& candidate);
/// Checks that the three belong together.
Candidate read_candidate(const JsonReader& reader);

}  // namespace mpq
