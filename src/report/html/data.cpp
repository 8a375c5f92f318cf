#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "mpq/text.h"

#include "report/html/view.h"
#include "report/markup.h"
#include "report/next_step.h"

namespace mpq::report::html {
namespace {

using Json = nlohmann::ordered_json;

/// Options that change the result, with the value that need not be said.
constexpr std::array<std::pair<const char*, const char*>, 21> kTold = {{{"calibration", ""},
                                                                        {"eval", ""},
                                                                        {"labels", ""},
                                                                        {"samples", ""},
                                                                        {"image-preset", "imagenet"},
                                                                        {"layer", ""},
                                                                        {"keep", ""},
                                                                        {"compute", "auto"},
                                                                        {"effort", "3"},
                                                                        {"bits", ""},
                                                                        {"scale-fit", "mse"},
                                                                        {"engine", "auto"},
                                                                        {"noise", "quantization"},
                                                                        {"trials", "adaptive"},
                                                                        {"metric", "auto"},
                                                                        {"place", "network"},
                                                                        {"aggregation", "mean"},
                                                                        {"outputs", ""},
                                                                        {"seed", "1"},
                                                                        {"scores", ""},
                                                                        {"max-trials", "20"}}};

bool was_given(const RunRecord& record, const std::string& name) {
  return std::any_of(record.options.begin(), record.options.end(), [&](const auto& o) { return o.first == name; });
}

/// Four digits are enough for a share, and a fraction of the page; two for an error.
Json short_figure(double value, int digits = 4) {
  if (!std::isfinite(value)) return nullptr;
  return std::stod(fmt::format("{:.{}g}", value, digits));
}

/// [label, bits, bytes, damage, standard error] of every candidate of every layer.
Json candidates(const View& view) {
  Json layers = Json::array();
  if (view.scores == nullptr) return layers;
  for (const LayerSensitivity& layer : view.scores->layers) {
    Json list = Json::array();
    for (const CandidateScore& s : layer.candidates)
      list.push_back({to_string(s.candidate), s.candidate.bits, s.stored_bytes, short_figure(s.damage),
                      short_figure(s.standard_error, 2)});
    layers.push_back(std::move(list));
  }
  return layers;
}

/// Per layer the index of the plan's candidate; empty when plan and scores do not belong together.
Json choices(const View& view, const Plan& plan) {
  Json indices = Json::array();
  if (plan.entries.size() != view.scores->layers.size()) return indices;
  for (std::size_t i = 0; i < plan.entries.size(); ++i) {
    const auto& list = view.scores->layers[i].candidates;
    const auto found = std::find_if(list.begin(), list.end(),
                                    [&](const CandidateScore& s) { return s.candidate == plan.entries[i].candidate; });
    indices.push_back(found == list.end() ? -1 : found - list.begin());
  }
  return indices;
}

/// Where a plan stands in the chart of size against damage.
Json place(const Plan& plan) {
  return {{"budget", plan.budget},           {"bits", plan.bits_per_weight},
          {"stored", plan.stored_bytes},     {"bytes", plan.file_bytes},
          {"damage", plan.predicted_damage}, {"error", short_figure(plan.standard_error, 2)}};
}

/// Per layer, in the model's order: names, these as they stand beside charts, [sensitivity, error], [label, bits,
/// bytes] of the plan shown first; the places of the most sensitive first.
void add_layers(const View& view, Json& data) {
  const auto depth = depths(view);
  for (const char* key : {"names", "labels", "weights", "shown", "ranked"}) data[key] = Json::array();
  for (const LayerRow& row : view.deep) {
    data["names"].push_back(printable(row.name));
    data["labels"].push_back(view.labels.at(row.name));
    data["weights"].push_back({short_figure(row.weight()), short_figure(row.standard_error(), 2)});
    data["shown"].push_back(nullptr);
    if (row.entry != nullptr)
      data["shown"].back() = {to_string(row.entry->candidate), row.entry->candidate.bits, row.entry->stored_bytes};
  }
  for (const LayerRow& row : view.ranked) data["ranked"].push_back(depth.at(row.name));
  data["layers"] = candidates(view);
}

/// What the charts show beside the layers.
void add_figures(const View& view, Json& data) {
  for (const char* key : {"uniforms", "figures", "parts"}) data[key] = Json::array();
  for (const Plan& plan : view.uniforms) {
    data["uniforms"].push_back(place(plan));
    data["uniforms"].back()["name"] = std::to_string(uniform_bits(plan));
  }
  for (const Figure& f : damage_figures(view))
    data["figures"].push_back(
        {{"name", f.name}, {"css", f.css}, {"value", short_figure(f.value)}, {"error", short_figure(f.error, 2)}});
  for (const Part& part : file_parts(view))
    data["parts"].push_back({{"name", printable(part.name)}, {"before", part.before}, {"after", part.after}});
  if (view.plan != nullptr) data["plan"] = place(*view.plan);
  if (view.plan != nullptr && view.record.verification)
    data["measured"] = {{"damage", short_figure(view.record.verification->damage)},
                        {"error", short_figure(view.record.verification->damage_standard_error, 2)}};
}

/// The frontier's point nearest to the run's own plan.
std::size_t nearest_point(const View& view) {
  if (view.plan == nullptr) return view.frontier.size() / 2;
  std::size_t best = 0;
  for (std::size_t i = 0; i < view.frontier.size(); ++i) {
    const auto distance = [&](std::size_t k) {
      return std::abs(view.frontier[k].stored_bytes - view.plan->stored_bytes);
    };
    if (distance(i) < distance(best)) best = i;
  }
  return best;
}

}  // namespace

CommandAround command_around(const RunRecord& record) {
  CommandAround command{"mpq quantize " + model_words(record) + ' ', ""};
  const bool effort = was_given(record, "effort");
  for (const auto& [name, value] : record.options) {
    const auto told = std::find_if(kTold.begin(), kTold.end(), [&, n = name](const auto& t) { return n == t.first; });
    if (told == kTold.end() || value == told->second || value.empty()) continue;
    if (name == "max-trials" && effort) continue;  // --effort says it
    command.after += " --" + name + ' ' + shell_word(value);
  }
  // An analysis alone: its own file, which `mpq analyze` names so, spares doing it again.
  if (record.command == "analyze" && record.sensitivity) {
    if (!record.sensitivity->data.synthetic && !was_given(record, "calibration"))
      command.after += " --calibration " + shell_word(record.sensitivity->data.source);
    command.after += " --scores " + shell_word(sensitivity_file(record));
  }
  return command;
}

std::string script_data(const View& view) {
  Json data{{"points", Json::array()}, {"whole", view.record.model.bytes}};
  add_layers(view, data);
  add_figures(view, data);
  if (view.scores != nullptr && view.frontier.size() >= 2) {
    const CommandAround command = command_around(view.record);
    for (const Plan& plan : view.frontier) {
      data["points"].push_back(place(plan));
      data["points"].back()["choice"] = choices(view, plan);
    }
    data["start"] = nearest_point(view);
    data["own"] = view.shown != nullptr ? choices(view, *view.shown) : Json::array();
    data["before"] = command.before;
    data["after"] = command.after;
  }
  return script_json(data);
}

}  // namespace mpq::report::html
