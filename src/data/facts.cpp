#include "data/facts.h"

#include "data/fit.h"
#include "support/hash.h"

namespace mpq::data {

DataFacts facts_of(const std::vector<Feed>& feeds, const std::string& source, bool synthetic) {
  Sha256 hash;
  for (const Feed& feed : feeds) {
    for (const auto& [name, tensor] : feed) {
      hash.update(std::to_string(name.size()) + ":" + name + " " + type_text(tensor.type(), tensor.shape()) + "\n");
      hash.update({tensor.data(), tensor.size_bytes()});
    }
  }
  return {source, hash.hex(), static_cast<std::int64_t>(feeds.size()), synthetic};
}

}  // namespace mpq::data
