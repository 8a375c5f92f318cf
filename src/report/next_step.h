#pragma once

#include <string>

#include "mpq/run_record.h"

namespace mpq::report {

/// The command most worth trying after this run, and why; what the figures ask for decides.
struct NextStep {
  std::string why;
  std::string command;
};
NextStep next_step(const RunRecord& record);
NextStep next_step(const Sensitivity& scores);
NextStep next_step(const Plan& plan);

/// Where `mpq analyze` wrote the analysis of its record.
std::string sensitivity_file(const RunRecord& record);

/// The model as it is given on the command line: its path, and --requantize where it was.
std::string model_words(const RunRecord& record);

/// `text` as one word of a POSIX shell.
std::string shell_word(const std::string& text);

}  // namespace mpq::report
