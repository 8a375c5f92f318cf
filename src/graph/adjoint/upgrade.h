#pragma once

#include "graph/cut.h"

namespace mpq::graph::adjoint {

/// The run form in an operator set the adjoint can be written in (17 or later), computing the same, with what stands
/// for several nodes written out (write_out.h). From 13 on newer sets only widen what operators accept, so the number
/// is raised; older models go through ONNX's version converter. Throws NoRule when that is not possible.
RunForm upgraded(const RunForm& form);

}  // namespace mpq::graph::adjoint
