#pragma once

#include <string>

#include "mpq/execution.h"

#include "report/style.h"

namespace mpq::report {

/// "conv1 ... fc (12)", "conv1", or "all 12".
std::string segments_text(const ExecutionRecord& record, const PlacedSubnet& subnet);
/// "3.21 ms".
std::string milliseconds(double seconds);
/// What was chosen, in a sentence, and what it beat.
std::string choice_text(const ExecutionRecord& record);
/// First start and last end of the timeline, in seconds since the executor was made.
std::pair<double, double> timeline_span(const ExecutionRecord& record);

/// One line a processor, time to the right, the digit or letter of the request where it works.
std::string timeline_text(const ExecutionRecord& record, const Style& style);

namespace html {
/// The whole page: figures, placement, timeline. Self-contained.
std::string execution_page(const ExecutionRecord& record);
}  // namespace html

}  // namespace mpq::report
