#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace mpq::graph {

/// What a file is that does not parse as a model, said in one sentence, and what the user can do.
struct FileKind {
  std::string what;
  std::string cure;
};
FileKind recognize(std::span<const std::byte> bytes);

/// True when the bytes are protobuf on the way down to a subgraph nested deeper than `levels` messages.
bool nests_deeper_than(std::span<const std::byte> bytes, int levels);

}  // namespace mpq::graph
