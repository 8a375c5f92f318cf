#include <algorithm>
#include <array>
#include <string_view>

#include "mpq/analyze.h"
#include "mpq/error.h"

#include "support/text.h"

namespace mpq {

namespace {

void require_one_of(const std::string& value, const std::vector<std::string>& known, const std::string& option) {
  if (std::find(known.begin(), known.end(), value) != known.end()) return;
  const std::vector<std::string> near = nearest(value, known, 1);
  throw Error(ErrorCode::kUsage, "\"" + value + "\" is no value of " + option + "; it takes " + join(known, ", ") + ".",
              option, near.empty() ? "" : "Did you mean \"" + near.front() + "\"?");
}

void require(bool holds, const std::string& sentence, const std::string& option) {
  if (!holds) throw Error(ErrorCode::kUsage, sentence, option);
}

}  // namespace

void AnalyzeOptions::validate() const {
  require_one_of(engine, {"noise", "rounding", "adjoint", "auto"}, "--engine");
  require_one_of(noise, {"quantization", "gaussian", "uniform", "rademacher"}, "--noise");
  require_one_of(place, {"network", "local"}, "--place");
  require_one_of(metric, {"auto", "kl", "mse", "relative_l2", "sqnr", "cosine"}, "--metric");
  require_one_of(aggregation, {"mean", "max", "quantile"}, "--aggregation");
  require_one_of(scale_fit, {"mse", "minmax"}, "--scale-fit");
  require_one_of(store, {"packed", "fast"}, "--store");
  require(quantile > 0 && quantile < 1,
          "The quantile must lie between 0 and 1; " + format_number(quantile) + " does not.", "--quantile");
  require(trials >= 0, "The number of trials cannot be " + std::to_string(trials) + "; 0 means adaptive.", "--trials");
  require(max_trials >= 1, "At least one trial is needed; the cap is " + std::to_string(max_trials) + ".",
          "--max-trials");
  require(threads >= 0, "The number of threads cannot be " + std::to_string(threads) + "; 0 means all cores.",
          "--threads");
  require(activation_memory_bytes > 0, "The memory for captured activations must be positive.", "activation memory");
  require(memory_limit_bytes >= 0, "The memory limit cannot be negative.", "--memory-limit");
  for (const std::string& form : forms) require_one_of(form, {"grid", "blocks", "rows", "trellis"}, "--forms");
  require(std::find(forms.begin(), forms.end(), "grid") != forms.end(),
          "Plain grids are always offered; the list of forms lacks \"grid\".", "--forms");
  require(!bits.empty(), "No candidate width was given; widths are 2 to 8, 16 and 32 (float).", "--bits");
  require(probes >= 1, "At least one probe is needed; " + std::to_string(probes) + " were asked for.", "--probes");
  require(!shard || (shard->part >= 1 && shard->part <= shard->parts),
          "There is no part " + to_string(shard.value_or(Shard{})) + ".", "--shard");
  const auto offered = [&](const char* form) { return std::find(forms.begin(), forms.end(), form) != forms.end(); };
  require(store == "packed" || !offered("rows"), "Rows are unpacked when the model is loaded; a fast store has none.",
          "--store");
  require(!portable || !(offered("rows") || std::count(bits.begin(), bits.end(), 8) > 0),
          "Portable files hold neither integers of 8 bits nor widths of rows.", "--portable");
  require(!shard || !offered("rows"),
          "Widths of rows are made of the prices of the whole analysis; a part of it cannot offer them.", "--shard");
  require(pilots >= 0, "The number of pilot layers cannot be " + std::to_string(pilots) + ".", "pilots");
  require(engine == "auto" || (engine == "noise") == (noise != "quantization"),
          "The engine \"" + engine + "\" does not go with the noise \"" + noise + "\".", "--noise");
  require(engine != "adjoint" || place == "network",
          "The adjoint starts at the network's outputs; the place \"local\" needs reruns.", "--place");
  constexpr std::array kWidths = {2, 3, 4, 5, 6, 7, 8, 16, 32};
  for (const int width : bits) {
    require(std::find(kWidths.begin(), kWidths.end(), width) != kWidths.end(),
            std::to_string(width) + " is no candidate width; widths are 2 to 8, 16 and 32 (float).", "--bits");
  }
  require(!full_reruns || place == "network",
          "Full reruns measure the network's outputs; they do not go with the place \"local\".", "--place");
}

}  // namespace mpq
