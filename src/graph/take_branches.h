#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/cut.h"

namespace mpq::graph {

/// Conditions of the If nodes of the main graph, each once.
std::vector<std::string> branch_conditions(const RunForm& form);

/// The run form with every If of the main graph whose condition is known replaced by the branch it takes, so that the
/// values inside become values of the main graph:
///
///   Before: If(c) { then { a = A(x) -> a }  else { ... } } -> z
///   After (c true): a_2 = A(x), z = Identity(a_2)
///
/// Values of the branch get names of their own; the layers' weights keep theirs.
RunForm with_branches_taken(const RunForm& form, const std::map<std::string, bool>& conditions);

}  // namespace mpq::graph
