#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "quantize/layer_rounding.h"
#include "support/spill_file.h"

namespace mpq::calibrate {

/// A network's weights rounded.
class RoundedNetwork {
 public:
  /// Where the integers are kept: one byte per weight.
  enum class Integers { kInMemory, kOnDisk, kNowhere };
  explicit RoundedNetwork(Integers integers = Integers::kInMemory);

  /// Null for a layer that was passed over: round it to nearest. Its integers are there only when kept in memory.
  const quant::LayerRounding* find(std::size_t layer, const Candidate& candidate) const;
  /// The layer's numbers, wherever the integers are kept; empty for a layer that was passed over.
  std::optional<quant::QuantizedTensor> numbers(std::size_t layer, const Candidate& candidate) const;
  bool empty() const { return layers_.empty(); }
  const quant::LayerRounding& add(std::size_t layer, const Candidate& candidate, quant::LayerRounding rounding);

 private:
  struct Entry {
    quant::LayerRounding rounding;
    std::shared_ptr<const MappedFile> integers;  ///< where they are on disk
  };
  const Entry* entry(std::size_t layer, const Candidate& candidate) const;

  Integers integers_;
  std::unique_ptr<SpillFile> file_;
  std::map<std::pair<std::size_t, std::string>, Entry> layers_;
};

}  // namespace mpq::calibrate
