#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mpq/report.h"

#include "report/layer_rows.h"

namespace mpq::report::html {

/// What the page is made from.
struct View {
  const RunRecord& record;
  const Sensitivity* scores;  ///< null when the record holds none
  const Plan* plan;           ///< null when the record holds none
  const Plan* shown;          ///< whose widths the page shows first: `plan`, else one of the frontier, else null
  const std::vector<Plan>& frontier;          ///< plans of the frontier, by rising bytes; may be empty
  const std::vector<Plan>& uniforms;          ///< one width everywhere, by rising bytes; may be empty
  std::vector<LayerRow> ranked;               ///< most sensitive first
  std::vector<LayerRow> deep;                 ///< in the model's order
  std::map<std::string, std::string> labels;  ///< layer -> its name beside a chart
};

/// Layer -> its place in View::deep, by which the script finds it.
std::map<std::string, std::size_t> depths(const View& view);

View make_view(const RunRecord& record, const ReportOptions& options);

/// "mpq quantize MODEL " and " --calibration DATA ...": the command line that makes a plan, around its --budget.
struct CommandAround {
  std::string before, after;
};
CommandAround command_around(const RunRecord& record);

/// A figure of the damage with its standard error; `css` colours it.
struct Figure {
  std::string name, css;
  double value = 0, error = 0;
};
/// Predicted, measured, and what stands beside them.
std::vector<Figure> damage_figures(const View& view);

/// A part of the model's file and its bytes.
struct Part {
  std::string name;
  std::int64_t before = 0, after = 0;
};
/// The largest layers, the other layers together, and what is no quantizable weight; empty without a plan.
std::vector<Part> file_parts(const View& view);

/// The bits of a plan of one width.
int uniform_bits(const Plan& plan);

// The parts of the page; each is empty where the record holds nothing for it.
std::string tiles(const View& view);
std::string frontier_card(const View& view);
std::string ranked_card(const View& view);
std::string heat_card(const View& view);
std::string depth_card(const View& view);
std::string bytes_card(const View& view);
std::string damage_card(const View& view);
std::string layer_table(const View& view);
std::string output_table(const View& view);
std::string skipped_table(const View& view);
std::string facts(const View& view);
/// What the scripts work with: the figures of the charts and the frontier's plans.
std::string script_data(const View& view);

}  // namespace mpq::report::html
