#include <sstream>

#include <fmt/format.h>

#include "commands.h"
#include "inputs.h"
#include "interrupt.h"
#include "outputs.h"
#include "progress.h"
#include "session.h"

namespace mpq::cli {
namespace {

ProfileOptions profile_options(const Settings& settings, const std::string& output) {
  ProfileOptions options;
  options.processors = parse_processors(settings.devices);
  std::istringstream list(settings.precisions);
  for (std::string precision; std::getline(list, precision, ',');) options.precisions.push_back(precision);
  options.repeats = static_cast<int>(settings.repeats.value_or(options.repeats));
  options.openvino_library = settings.openvino_library;
  options.webgpu_library = settings.webgpu_library;
  options.checkpoint_path = settings.checkpoint == "none"  ? ""
                            : !settings.checkpoint.empty() ? settings.checkpoint
                            : output == "-"                ? ""
                                                           : output + ".checkpoint";
  options.validate();
  return options;
}

}  // namespace

int run_profile(const Settings& settings, Console& console) {
  catch_interrupts();
  if (settings.devices.empty()) {
    throw Error(ErrorCode::kUsage, "`mpq profile` needs the processors to measure.", "--devices",
                "For example --devices cpu:0,cpu:1; `mpq profile --help` shows what else there is.");
  }
  const std::string& path = settings.positionals[0];
  const bool to_stdout = settings.output == "-";
  const std::string output =
      to_stdout ? "-" : output_path(settings.output, without_onnx_extension(path) + ".profile.json");
  const ProfileOptions options = profile_options(settings, output);
  const Model model = load_model(path, console);
  if (!to_stdout) check_outputs({output}, {path, settings.data, settings.config}, settings.force);

  ProgressObserver observer(console, settings);
  const auto given = open_samples(settings.data, model, settings, console);
  const Samples samples = given ? *given : Samples::synthetic(model, 1, 1);
  const Profile measured =
      keeping_progress(options.checkpoint_path, [&] { return profile(model, samples, options, observer); });

  deliver(measured, measured, output, settings, console);
  return 0;
}

}  // namespace mpq::cli
