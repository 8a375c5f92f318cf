#pragma once

#include <algorithm>

namespace mpq::graph {

/// std::erase_if for the repeated fields of protobuf.
template <typename Repeated, typename Matches>
void erase_if(Repeated& elements, Matches matches) {
  elements.erase(std::remove_if(elements.begin(), elements.end(), matches), elements.end());
}

}  // namespace mpq::graph
