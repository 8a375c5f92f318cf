#include "mpq/diff.h"

#include "commands.h"
#include "session.h"

namespace mpq::cli {

int run_diff(const Settings& settings, Console& console) {
  ReportOptions options = terminal_report(settings, console);
  options.format = settings.json ? "json" : settings.format;
  console.result(render(diff(read_record(settings.positionals[0]), read_record(settings.positionals[1])), options));
  return 0;
}

}  // namespace mpq::cli
