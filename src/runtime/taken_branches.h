#pragma once

#include "mpq/samples.h"

#include "graph/cut.h"

namespace mpq::runtime {

/// The run form with every If replaced by the branch that all samples take, nested ones too; those whose condition
/// changes from sample to sample stay. What the branches compute can then be captured.
graph::RunForm taken_branches(const graph::RunForm& form, const Samples& samples);

}  // namespace mpq::runtime
