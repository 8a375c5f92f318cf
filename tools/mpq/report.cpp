#include "commands.h"
#include "inputs.h"
#include "outputs.h"
#include "session.h"

namespace mpq::cli {

ReportOptions terminal_report(const Settings& settings, const Console& console) {
  constexpr int kRowsShown = 25;
  ReportOptions options;
  options.color = console.color_on_stdout();
  options.unicode = console.unicode();
  options.width = console.width();
  options.top = settings.verbose ? 0 : kRowsShown;
  return options;
}

int run_report(const Settings& settings, Console& console) {
  const std::string& path = settings.positionals[0];
  ReportOptions options = terminal_report(settings, console);
  options.format = settings.format;
  options.top = 0;
  const AnyRecord record = read_record(path);
  if (settings.output.empty() || settings.output == "-") {
    console.result(render(record, options));
    return 0;
  }
  options.color = settings.color == "always";
  check_outputs({settings.output}, {path, settings.config}, settings.force);
  write_report(settings.output, record, options, settings.force);
  console.say("wrote " + settings.output);
  return 0;
}

}  // namespace mpq::cli
