#include "integer_plan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "calibrate/layer_inputs.h"
#include "encode/plan_check.h"
#include "runtime/activations.h"

namespace mpq {

namespace {

/// Float32 numbers among which none is a stand-in for infinity, whose range 8 bits could not resolve.
bool fits_range(const Tensor& value) {
  constexpr float kMost = 1e15F;
  if (value.type() != DType::kFloat32) return false;
  const auto numbers = value.as<float>();
  return std::all_of(numbers.begin(), numbers.end(), [](float number) { return std::abs(number) < kMost; });
}

}  // namespace

/// Integers of one scale per channel; blocks would need a scale per block of the products' inputs.
std::vector<char> IntegerPlanner::wanted_layers(const Plan& plan, const std::set<std::size_t>& barred) const {
  const std::vector<std::size_t> layers = encode::quantizable_layers(model_);
  const std::vector<Candidate> candidates = encode::planned_candidates(model_, plan);
  std::vector<char> wanted(model_.layers().size(), 0);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const bool integers = candidates[i].form == "grid" && candidates[i].block == 0;
    wanted[layers[i]] = integers && barred.count(layers[i]) == 0 ? 1 : 0;
  }
  return wanted;
}

void IntegerPlanner::measure_ranges(const graph::IntegerUnits& units, Observer& observer) {
  if (!form_) form_ = graph::run_form(model_);
  std::set<std::string> missing;
  const auto need = [&](const std::string& value) {
    if (statistics_.count(value) == 0) missing.insert(value);
  };
  for (const graph::IntegerUnit& unit : units.units) {
    need(unit.output);
    for (const graph::Slot& slot : unit.reads) need(slot.value);
  }
  if (missing.empty()) return;
  statistics_.merge(calibrate::activation_statistics(*form_, {missing.begin(), missing.end()}, calibration_,
                                                     options_.threads, observer));
}

Samples IntegerPlanner::trial_samples() const {
  constexpr std::size_t kTrialSamples = 8;
  return calibration_.slice(0, std::min(kTrialSamples, calibration_.size()));
}

std::map<std::string, std::vector<double>> IntegerPlanner::damages_of(
    const std::map<std::string, std::vector<calibrate::TriedGrid>>& grids, Observer& observer) const {
  return calibrate::activation_damage(*form_, grids, model_, trial_samples(), options_, observer);
}

/// Every way to find a range is tried, and the one of least damage kept; the plain range where they are equal.
void IntegerPlanner::measure_damage(const std::set<std::string>& values, Observer& observer) {
  std::map<std::string, std::vector<calibrate::TriedGrid>> grids;
  for (const std::string& value : values) {
    if (choices_.count(value) > 0) continue;
    if (grids_ == Grids::kPlain) {
      choices_[value] = {statistics_.at(value).histogram.grid(quant::RangeMethod::kMinMax), 0};
      continue;
    }
    std::vector<calibrate::TriedGrid>& list = grids[value];
    for (const quant::RangeMethod method : quant::kRangeMethods) {
      const quant::ActivationGrid grid = statistics_.at(value).histogram.grid(method);
      if (std::find(list.begin(), list.end(), grid) == list.end()) list.push_back(grid);
    }
  }
  if (grids.empty()) return;
  for (const auto& [value, found] : damages_of(grids, observer)) {
    const std::vector<calibrate::TriedGrid>& list = grids.at(value);
    const auto best = static_cast<std::size_t>(std::min_element(found.begin(), found.end()) - found.begin());
    choices_[value] = {*list[best], found[best]};
  }
}

graph::RegionFacts IntegerPlanner::facts_of(const graph::IntegerUnits& units) const {
  graph::RegionFacts facts;
  const auto add = [&](const std::string& value) {
    const calibrate::ActivationStatistics& seen = statistics_.at(value);
    facts.elements[value] = seen.elements;
    if (!seen.fits_grid()) facts.float_values.insert(value);
  };
  for (const graph::IntegerUnit& unit : units.units) {
    add(unit.output);
    for (const graph::Slot& slot : unit.reads) add(slot.value);
  }
  return facts;
}

const std::map<std::string, IntegerPlanner::DynamicInput>& IntegerPlanner::dynamic_inputs() {
  if (dynamic_) return *dynamic_;
  constexpr std::int64_t kManyRows = 16;
  if (!form_) form_ = graph::run_form(model_);
  std::map<std::string, DynamicInput>& result = dynamic_.emplace();
  for (std::size_t layer = 0; layer < model_.layers().size(); ++layer) {
    if (model_.layers()[layer].op != "MatMul" || !model_.layers()[layer].quantizable()) continue;
    const auto inputs = calibrate::layer_inputs(model_, *form_, layer);
    if (inputs && inputs->uses.size() == 1) result[inputs->uses[0].activation].layers.insert(layer);
  }
  if (result.empty() || calibration_.size() == 0) return result = {};
  std::vector<std::string> names;
  for (const auto& [name, input] : result) names.push_back(name);
  const Feed values = runtime::Activations(*form_, names).of(calibration_[0]);
  for (auto& [name, input] : result) {
    const std::vector<std::int64_t>& shape = values.at(name).shape();
    input.channels = shape.empty() ? 0 : shape.back();
  }
  std::erase_if(result, [&](const auto& entry) {
    const Tensor& value = values.at(entry.first);
    const std::int64_t columns = entry.second.channels;
    return columns == 0 || value.size() / columns < kManyRows || !fits_range(value);
  });
  return result;
}

const std::map<std::string, IntegerPlanner::DynamicInput>& IntegerPlanner::measured_inputs(Observer& observer) {
  std::map<std::string, std::vector<calibrate::TriedGrid>> grids;
  for (const auto& [name, input] : dynamic_inputs()) {
    if (!input.damage) grids[name] = {std::nullopt};
  }
  if (grids.empty()) return *dynamic_;
  for (const auto& [name, damage] : damages_of(grids, observer)) dynamic_->at(name).damage = damage.front();
  return *dynamic_;
}

std::set<std::size_t> IntegerPlanner::dynamic_products(double most_damage, Observer& observer) {
  std::vector<std::pair<double, const DynamicInput*>> by_price;  // damage for the weights whose products get faster
  const bool limited = most_damage < std::numeric_limits<double>::infinity();
  for (const auto& [name, input] : limited ? measured_inputs(observer) : dynamic_inputs()) {
    double weights = 1;
    for (const std::size_t layer : input.layers) weights += static_cast<double>(model_.layers()[layer].parameters);
    by_price.emplace_back(limited ? *input.damage / weights : 0, &input);
  }
  std::stable_sort(by_price.begin(), by_price.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::set<std::size_t> result;
  double sum = 0;
  for (const auto& [price, input] : by_price) {
    sum += limited ? *input->damage : 0;
    if (sum > most_damage) break;
    result.insert(input->layers.begin(), input->layers.end());
  }
  return result;
}

double IntegerPlanner::damage_of(const graph::IntegerRegion& region) const {
  double sum = 0;
  for (const std::string& value : region.values) {
    if (region.same.count(value) == 0) sum += choices_.at(value).damage;
  }
  return sum;
}

double IntegerPlanner::damage_of(const encode::StaticForm& form) const { return damage_of(form.region); }

/// A larger weight of the damage takes more activations out: the least weight that meets the limit is searched for.
graph::IntegerRegion IntegerPlanner::affordable(const graph::IntegerUnits& units, graph::RegionFacts facts,
                                                double most_damage, Observer& observer) {
  graph::IntegerRegion region = graph::integer_region(model_, units, facts, 0);
  measure_damage(region.values, observer);
  if (damage_of(region) <= most_damage) return region;
  const auto region_at = [&](double weight) {
    for (const auto& [value, choice] : choices_) facts.price[value] = choice.damage;
    graph::IntegerRegion found = graph::integer_region(model_, units, facts, weight);
    measure_damage(found.values, observer);  // an activation inside may have become one at the border
    return found;
  };
  constexpr int kDoublings = 60, kHalvings = 12;
  double high = graph::saved_time(model_, units, facts, region) / std::max(damage_of(region), 1e-30) / 1024;
  for (int i = 0; i < kDoublings; ++i, high *= 2) {
    region = region_at(high);
    if (damage_of(region) <= most_damage) break;
  }
  double low = high / 2;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = std::sqrt(low * high);
    graph::IntegerRegion found = region_at(middle);
    if (damage_of(found) <= most_damage) {
      high = middle;
      region = std::move(found);
    } else {
      low = middle;
    }
  }
  return region;
}

std::shared_ptr<const encode::StaticForm> IntegerPlanner::form(const Plan& plan, const std::set<std::size_t>& barred,
                                                               double most_damage, Observer& observer) {
  auto result = std::make_shared<encode::StaticForm>();
  result->units = graph::integer_units(model_, wanted_layers(plan, barred));
  const bool any = std::any_of(result->units.units.begin(), result->units.units.end(),
                               [](const auto& unit) { return unit.kind == graph::IntegerUnit::Kind::kWeighted; });
  if (!any) return nullptr;
  measure_ranges(result->units, observer);
  result->region = affordable(result->units, facts_of(result->units), most_damage, observer);
  const auto& units = result->units.units;
  for (std::size_t u = 0; u < units.size(); ++u) {
    if (units[u].kind != graph::IntegerUnit::Kind::kWeighted || result->region.integer[u] != 0) continue;
    result->units.reasons[units[u].layer] =
        most_damage < std::numeric_limits<double>::infinity()
            ? "integer activations there would cost more time or accuracy than they are worth"
            : "turning its activations into integers would cost more time than the kernel saves";
  }
  for (const std::string& value : result->region.values) {
    std::string source = value;  // the one whose grid it shares
    for (auto found = result->region.same.find(source); found != result->region.same.end();
         found = result->region.same.find(source)) {
      source = found->second;
    }
    result->grids[value] = choices_.at(source).grid;
  }
  return result->region.values.empty() ? nullptr : result;
}

}  // namespace mpq
