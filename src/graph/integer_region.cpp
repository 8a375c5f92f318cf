#include "graph/integer_region.h"

#include <algorithm>
#include <unordered_map>

#include "graph/model_impl.h"
#include "graph/values.h"
#include "support/min_cut.h"

namespace mpq::graph {

namespace {

// Time in units of one multiplication of a float kernel. Measured with ONNX Runtime 1.30 and 1.32 on AVX-512 (VNNI);
// docs/compute-forms.md tells how, and how little the choice depends on them.
constexpr double kIntegerMultiply = 0.3;
constexpr double kFloatWeighted = 4, kIntegerWeighted = 2;  // per output element, besides the multiplications
constexpr double kCombining = 8;                            // per output element, in floats as in integers
constexpr double kFloatPassing = 4, kIntegerPassing = 1;    // per output element
constexpr double kQuantize = 8, kDequantize = 10;           // per element

struct UnitTime {
  double integer = 0, floating = 0;
};

/// An activation between the units.
struct Link {
  std::string name;
  int producer = -1;  ///< unit that delivers it; -1 for other nodes and the model's inputs
  std::vector<std::size_t> readers;
  bool other_readers = false;  ///< some node that is no unit, or the outside, reads it too
  double elements = 0;
};

class Chooser {
 public:
  Chooser(const Model& model, const IntegerUnits& units, const RegionFacts& facts)
      : model_(model), units_(units.units), facts_(facts), table_(model.impl().proto, true) {
    for (std::size_t u = 0; u < units_.size(); ++u) {
      link(units_[u].output).producer = static_cast<int>(u);
      for (const Slot& slot : units_[u].reads) link(slot.value).readers.push_back(u);
    }
    for (Link& each : links_) {
      const auto found = facts_.elements.find(each.name);
      each.elements = found == facts_.elements.end() ? 0 : static_cast<double>(found->second);
      each.other_readers = reads_of(each.name) > each.readers.size();
    }
  }

  std::vector<char> solve(double weight) const {
    MinCut cut(units_.size() + 3 * links_.size());
    for (std::size_t u = 0; u < units_.size(); ++u) {
      const UnitTime time = time_of(u);
      cut.add_prices(u, time.floating, must_stay_float(u) ? MinCut::kNever : time.integer);
    }
    for (std::size_t l = 0; l < links_.size(); ++l) add_link(cut, l, weight);
    std::vector<char> labels = cut.solve();
    labels.resize(units_.size());
    return labels;
  }

  IntegerRegion region_of(std::vector<char> integer) const {
    IntegerRegion region;
    for (const Link& each : links_) {
      const bool written = each.producer >= 0 && integer[static_cast<std::size_t>(each.producer)] != 0;
      const bool read = std::any_of(each.readers.begin(), each.readers.end(), [&](auto u) { return integer[u] != 0; });
      if (!written && !read) continue;
      region.values.insert(each.name);
      if (!written) continue;
      const IntegerUnit& unit = units_[static_cast<std::size_t>(each.producer)];
      if (unit.kind == IntegerUnit::Kind::kPassing) region.same[each.name] = unit.reads[0].value;
    }
    region.integer = std::move(integer);
    return region;
  }

  double time(const std::vector<char>& integer) const {
    double total = 0;
    for (std::size_t u = 0; u < units_.size(); ++u) {
      const UnitTime each = time_of(u);
      total += integer[u] != 0 ? each.integer : each.floating;
    }
    for (const Link& each : links_) {
      const bool written = each.producer >= 0 && integer[static_cast<std::size_t>(each.producer)] != 0;
      bool integers = false, floats = each.other_readers;
      for (const std::size_t u : each.readers) (integer[u] != 0 ? integers : floats) = true;
      if (!written && integers) total += kQuantize * each.elements;
      if (written && floats) total += kDequantize * each.elements;
    }
    return total;
  }

 private:
  Link& link(const std::string& name) {
    const auto [found, fresh] = numbers_.emplace(name, links_.size());
    if (fresh) links_.emplace_back().name = name;
    return links_[found->second];
  }

  /// Inputs that read the value, and one more where it is an output of the model.
  std::size_t reads_of(const std::string& name) const {
    const int found = table_.find(0, name);
    if (found < 0) return 0;
    const Value& value = table_.values()[static_cast<std::size_t>(found)];
    return value.reads.size() + (value.graph_output ? 1 : 0);
  }

  double elements_of(const std::string& name) const { return links_[numbers_.at(name)].elements; }

  UnitTime time_of(std::size_t u) const {
    const IntegerUnit& unit = units_[u];
    const double elements = elements_of(unit.output);
    switch (unit.kind) {
      case IntegerUnit::Kind::kWeighted: {
        const Layer& layer = model_.layers()[unit.layer];
        const std::int64_t channels = layer.shape[static_cast<std::size_t>(layer.channel_axes[0])];
        const double multiplications =
            elements * static_cast<double>(layer.parameters / std::max<std::int64_t>(1, channels));
        return {kIntegerMultiply * multiplications + kIntegerWeighted * elements,
                multiplications + kFloatWeighted * elements};
      }
      case IntegerUnit::Kind::kCombining:
        return {kCombining * elements, kCombining * elements};
      case IntegerUnit::Kind::kPassing:
        break;
    }
    return {kIntegerPassing * elements, kFloatPassing * elements};
  }

  bool must_stay_float(std::size_t u) const {
    if (facts_.float_units.count(u) > 0 || facts_.float_values.count(units_[u].output) > 0) return true;
    return std::any_of(units_[u].reads.begin(), units_[u].reads.end(),
                       [&](const Slot& slot) { return facts_.float_values.count(slot.value) > 0; });
  }

  /// Every price of an activation is paid once, however many units read it: a node of the cut stands for each.
  void add_link(MinCut& cut, std::size_t l, double weight) const {
    const Link& each = links_[l];
    const std::size_t quantized = units_.size() + 3 * l, dequantized = quantized + 1, rounded = quantized + 2;
    const bool made_by_unit = each.producer >= 0;
    const auto producer = static_cast<std::size_t>(std::max(0, each.producer));

    // 1 where any reader is an integer unit; costs a QuantizeLinear where the producer is none.
    for (const std::size_t u : each.readers) cut.add_arc(u, quantized, MinCut::kNever);
    if (made_by_unit) {
      cut.add_arc(quantized, producer, kQuantize * each.elements);
    } else {
      cut.add_prices(quantized, 0, kQuantize * each.elements);
    }
    // 0 where any reader wants floats; costs a DequantizeLinear where the producer is an integer unit.
    if (made_by_unit) {
      cut.add_arc(producer, dequantized, kDequantize * each.elements);
      for (const std::size_t u : each.readers) cut.add_arc(dequantized, u, MinCut::kNever);
      if (each.other_readers) cut.add_prices(dequantized, 0, MinCut::kNever);
    }
    // What rounding the activation costs; one handed on was rounded before.
    const auto price = facts_.price.find(each.name);
    if (price == facts_.price.end()) return;
    cut.add_prices(rounded, 0, weight * price->second);
    for (const std::size_t u : each.readers) {
      if (!(made_by_unit && units_[producer].kind == IntegerUnit::Kind::kPassing))
        cut.add_arc(u, rounded, MinCut::kNever);
    }
    if (made_by_unit && units_[producer].kind != IntegerUnit::Kind::kPassing) {
      cut.add_arc(producer, rounded, MinCut::kNever);
    }
  }

  const Model& model_;
  const std::vector<IntegerUnit>& units_;
  const RegionFacts& facts_;
  ValueTable table_;
  std::vector<Link> links_;
  std::unordered_map<std::string, std::size_t> numbers_;
};

}  // namespace

IntegerRegion integer_region(const Model& model, const IntegerUnits& units, const RegionFacts& facts, double weight) {
  const Chooser chooser(model, units, facts);
  return chooser.region_of(chooser.solve(weight));
}

double saved_time(const Model& model, const IntegerUnits& units, const RegionFacts& facts,
                  const IntegerRegion& region) {
  const Chooser chooser(model, units, facts);
  return chooser.time(std::vector<char>(units.units.size(), 0)) - chooser.time(region.integer);
}

}  // namespace mpq::graph
