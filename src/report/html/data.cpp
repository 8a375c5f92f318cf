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
                                                                        {"max-trials", "32"}}};

/// The value of a repeated option is its values, joined.
std::vector<std::string> split(const std::string& text, bool repeated) {
  if (!repeated) return {text};
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(", ", begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 2;
  }
  return parts;
}

bool was_given(const RunRecord& record, const std::string& name) {
  return std::any_of(record.options.begin(), record.options.end(), [&](const auto& o) { return o.first == name; });
}

/// Four digits are enough for a share, and a fraction of the page.
Json short_figure(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::stod(fmt::format("{:.4g}", value));
}

/// [label, bits, bytes, damage] of every candidate of every layer.
Json candidates(const View& view) {
  Json layers = Json::array();
  for (const LayerSensitivity& layer : view.scores->layers) {
    Json list = Json::array();
    for (const CandidateScore& s : layer.candidates)
      list.push_back({to_string(s.candidate), s.candidate.bits, s.stored_bytes, short_figure(s.damage)});
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

Json point(const View& view, const Plan& plan) {
  return {{"budget", plan.budget},
          {"bits", plan.bits_per_weight},
          {"bytes", plan.file_bytes},
          {"damage", plan.predicted_damage},
          {"choice", choices(view, plan)}};
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
  CommandAround command{"mpq quantize " + shell_word(record.model.path) + ' ', ""};
  const bool effort = was_given(record, "effort");
  for (const auto& [name, value] : record.options) {
    const auto told = std::find_if(kTold.begin(), kTold.end(), [&, n = name](const auto& t) { return n == t.first; });
    if (told == kTold.end() || value == told->second || value.empty()) continue;
    if (name == "max-trials" && effort) continue;  // --effort says it
    const bool repeated = name == "layer" || name == "keep";
    for (const std::string& part : split(value, repeated)) command.after += " --" + name + ' ' + shell_word(part);
  }
  // An analysis alone: its own file, which `mpq analyze` names so, spares doing it again.
  if (record.command == "analyze" && record.sensitivity) {
    if (!record.sensitivity->data.synthetic && !was_given(record, "calibration"))
      command.after += " --calibration " + shell_word(record.sensitivity->data.source);
    command.after += " --scores " + shell_word(record.model.path + ".sensitivity.json");
  }
  return command;
}

std::string script_data(const View& view) {
  Json data{{"points", Json::array()}, {"layers", Json::array()}};
  const bool interactive = view.scores != nullptr && view.frontier.size() >= 2;
  if (interactive) {
    const CommandAround command = command_around(view.record);
    for (const Plan& plan : view.frontier) data["points"].push_back(point(view, plan));
    data["layers"] = candidates(view);
    data["start"] = nearest_point(view);
    data["own"] = view.shown != nullptr ? choices(view, *view.shown) : Json::array();
    data["whole"] = view.record.model.bytes;
    data["before"] = command.before;
    data["after"] = command.after;
  }
  return script_json(data);
}

}  // namespace mpq::report::html
