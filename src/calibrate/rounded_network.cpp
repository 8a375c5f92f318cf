#include "calibrate/rounded_network.h"

#include <cstring>
#include <span>

namespace mpq::calibrate {

RoundedNetwork::RoundedNetwork(Integers integers)
    : integers_(integers), file_(integers == Integers::kOnDisk ? std::make_unique<SpillFile>() : nullptr) {}

const RoundedNetwork::Entry* RoundedNetwork::entry(std::size_t layer, const Candidate& candidate) const {
  const auto found = layers_.find({layer, to_string(candidate)});
  return found == layers_.end() ? nullptr : &found->second;
}

const quant::LayerRounding* RoundedNetwork::find(std::size_t layer, const Candidate& candidate) const {
  const Entry* found = entry(layer, candidate);
  return found == nullptr ? nullptr : &found->rounding;
}

std::optional<quant::QuantizedTensor> RoundedNetwork::numbers(std::size_t layer, const Candidate& candidate) const {
  const Entry* found = entry(layer, candidate);
  if (found == nullptr) return std::nullopt;
  quant::QuantizedTensor numbers = found->rounding.numbers;
  if (found->integers) {
    const auto bytes = found->integers->bytes();
    numbers.values.resize(bytes.size());
    std::memcpy(numbers.values.data(), bytes.data(), bytes.size());
    found->integers->release(bytes);
  }
  return numbers;
}

const quant::LayerRounding& RoundedNetwork::add(std::size_t layer, const Candidate& candidate,
                                                quant::LayerRounding rounding) {
  Entry added{std::move(rounding), nullptr};
  std::vector<std::int8_t>& values = added.rounding.numbers.values;
  if (file_ && !values.empty()) added.integers = file_->keep(std::as_bytes(std::span(std::as_const(values))));
  if (integers_ != Integers::kInMemory) std::vector<std::int8_t>().swap(values);
  return layers_.insert_or_assign({layer, to_string(candidate)}, std::move(added)).first->second.rounding;
}

}  // namespace mpq::calibrate
