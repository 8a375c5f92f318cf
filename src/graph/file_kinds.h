#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace mpq::graph {

/// What a file is that does not parse as a model, said in one sentence, and what the user can do.
struct FileKind {
  std::string what;
  std::string cure;
};
FileKind recognize(std::span<const std::byte> bytes);

/// How a serialized model is built, found without building it.
struct Structure {
  int nesting = 0;          ///< messages inside each other, the model itself included
  std::int64_t fields = 0;  ///< strings and messages in it: each becomes an object many times larger than two bytes
};
/// Stops counting when a limit is passed, so hostile files cost no time. Damaged parts are skipped.
Structure scan_structure(std::span<const std::byte> bytes, int most_nesting, std::int64_t most_fields);

}  // namespace mpq::graph
